"""The review page: in-house reviewers look at dialogues one by one and vote."""
