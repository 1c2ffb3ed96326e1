"""Release -> baselines: intent and retrieval models, metrics, reports."""
