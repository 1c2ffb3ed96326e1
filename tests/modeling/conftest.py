"""Tests that need torch are left out where the models extra is not installed."""

from importlib.util import find_spec
from pathlib import Path

WITHOUT_TORCH = {"test_examples.py"}

collect_ignore = (
    []
    if find_spec("torch") and find_spec("transformers")
    else [
        "intent/test_models.py",
        "intent/test_rows.py",
        "backbones/test_text.py",
        "training/test_averaging.py",
        "training/test_resume.py",
        *(
            f"retrieval/{file.name}"
            for file in (Path(__file__).parent / "retrieval").glob("test_*.py")
            if file.name not in WITHOUT_TORCH
        ),
        "stickers",
    ]
)
