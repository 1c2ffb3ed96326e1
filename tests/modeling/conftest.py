"""Tests that need torch are left out where the models extra is not installed."""

from importlib.util import find_spec

collect_ignore = (
    []
    if find_spec("torch") and find_spec("transformers")
    else ["intent/test_models.py", "intent/test_rows.py", "training/test_resume.py"]
)
