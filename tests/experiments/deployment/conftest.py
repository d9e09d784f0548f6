"""A package of a small network, made once; each test that writes takes a copy."""

from __future__ import annotations

import importlib
import shutil
import sys

import pytest
from stand_ins.packages import write

EXAMPLES = ("face_detector", "service", "app", "check", "handler", "function_app")


@pytest.fixture(scope="session")
def packaged(shared_folder, remembered_traces):
    """The package of a network with loud answers, and its weights beside it; not to be changed."""
    with remembered_traces.taken():
        return shared_folder("deployment-package", write)


@pytest.fixture
def package(packaged, tmp_path):
    """A copy of the package, to be changed."""
    folder = tmp_path / "package"
    shutil.copytree(packaged / "package", folder)
    return folder


@pytest.fixture
def example(packaged, monkeypatch):
    """Import a module of the package's examples from FOLDER, python/ where none is named."""

    def load(name, folder="python"):
        monkeypatch.syspath_prepend(packaged / "package" / "python")
        monkeypatch.syspath_prepend(packaged / "package" / folder)
        return importlib.import_module(name)

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in EXAMPLES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield load
    for name in EXAMPLES:
        sys.modules.pop(name, None)
