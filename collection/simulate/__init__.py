"""Rehearsal: bots that talk over the public protocol, and the proof that nothing is lost."""
