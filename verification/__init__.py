"""Verification: raw dialogues -> findings, votes, decisions."""
