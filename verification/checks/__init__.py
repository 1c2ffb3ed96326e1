"""The checks: each a function of one dialogue (and of the models handed in), one file a family.

A check returns its findings, none when all is well, and None when it could not be made.
"""
