"""Every speed claim, each a command that prints a ratio against a named peer or limit."""
