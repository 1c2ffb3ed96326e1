"""What a package says others call is there, is described, and is listed once."""

import importlib
import re

import pytest

from tests.test_house import STAGES


@pytest.mark.parametrize("package", ["photochat", *STAGES])
def test_what_a_package_lists_can_be_called(package):
    if package == "modeling":
        pytest.importorskip("torch")
    names = re.findall(r"^- `([\w.]+)`: \S.*\.$", importlib.import_module(package).__doc__, re.M)
    assert len(names) >= 6
    assert len(names) == len(set(names))
    for name in names:
        module, _, own = name.rpartition(".")
        assert module.startswith(f"{package}."), name
        found = getattr(importlib.import_module(module), own)
        assert callable(found), name
        assert found.__module__ == module, f"{name} is only passed on there"
        assert found.__doc__, name
