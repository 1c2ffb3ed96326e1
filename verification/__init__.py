"""Verification: raw dialogues -> findings, votes, decisions.

What others call, all else being free to change:

- `verification.check.check`: run the automatic checks over a file; write the findings.
- `verification.check.check_dialogue`: run them on one dialogue.
- `verification.finding.read_findings`: read what was found.
- `verification.review.opening.open_desk`: open a review for people to vote in.
- `verification.review.serve.serve`: serve it until it is stopped.
- `verification.vote_sources.gather`: read votes from files, platforms and reviews alike.
- `verification.votes.write_votes`: write them.
- `verification.agreement.agreement`: say how far reviewers agree.
- `verification.decide.decide`: decide each dialogue by its votes and findings.
- `verification.outcome.decide_files`: do so with files; write accepted and rejected ones.
"""
