"""Photo-sharing intent: the models of section 6.1 and two that read each dialogue once."""
