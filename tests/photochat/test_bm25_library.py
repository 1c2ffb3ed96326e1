"""bm25s is imported so that a JAX installed beside it leaves the GPU alone."""

import os
import subprocess
import sys

import pytest

SCRIPT = "import os, photochat.bm25_library as b; print(b.bm25s.SEEN, os.getenv('JAX_PLATFORMS'))"


@pytest.mark.parametrize(("chosen", "seen"), [(None, "cpu None"), ("cuda", "cuda cuda")])
def test_jax_is_kept_to_the_processor_unless_the_user_chose(chosen, seen, tmp_path):
    (tmp_path / "bm25s.py").write_text("import os\nSEEN = os.environ.get('JAX_PLATFORMS')\n")
    environment = {n: v for n, v in os.environ.items() if n != "JAX_PLATFORMS"}
    if chosen:
        environment["JAX_PLATFORMS"] = chosen
    paths = [str(tmp_path), *(p for p in sys.path if p)]
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == seen
