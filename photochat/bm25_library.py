"""bm25s, kept from the GPU.

It scores with numpy, but tries JAX when it is imported, and JAX reserves three quarters of a GPU's
memory as soon as it is asked for anything: no model could be trained in the same process.
"""

from __future__ import annotations

import os

_PLATFORMS = "JAX_PLATFORMS"  # read by JAX when it is imported

_unset = _PLATFORMS not in os.environ
if _unset:
    os.environ[_PLATFORMS] = "cpu"
try:
    import bm25s
finally:
    if _unset:
        del os.environ[_PLATFORMS]

__all__ = ["bm25s"]
