"""Makes verification/learned/ from the dev split: `python -m verification.learn` (docs say how)."""
