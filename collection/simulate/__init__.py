"""Rehearsal: bots that hold conversations over the public protocol, and the proof that all is kept."""
