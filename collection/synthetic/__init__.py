"""Dialogues that a language model makes about photos it is told of, marked as such."""
