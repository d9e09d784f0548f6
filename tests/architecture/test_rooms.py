"""The rooms of the house: how many modules each holds, and that knowledge never runs in a circle.

`pyproject.toml` says which room may know which; here is what holds for every room, a new one too.
"""

from __future__ import annotations

import ast
import graphlib
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("thesis_cli", "vault_sync", "experiments", "featherface", "templates")
MOST = 20
"""Modules of a folder that can still be taken in at a glance."""

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree"
)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")
}


def imported(path):
    """Yield every module of ours that PATH imports, lazily or for types alone too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if target := next((name for name in (whole, node.module) if name in MODULES), None):
                    yield target


def room_of(module):
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


IMPORTS = {module: set(imported(path)) for module, path in MODULES.items()}


def circle(graph):
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return " -> ".join(error.args[1])
    return ""


def test_no_module_knows_itself_through_others():
    assert circle(IMPORTS) == ""


def test_no_room_knows_itself_through_others():
    rooms = {room_of(module): set() for module in MODULES}
    for module, targets in IMPORTS.items():
        rooms[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    assert circle(rooms) == ""


def test_a_room_can_be_taken_in_at_a_glance():
    counts = Counter(
        path.parent.relative_to(ROOT).as_posix()
        for path in MODULES.values()
        if path.name not in ("__init__.py", "__main__.py")
    )
    assert {room: count for room, count in counts.items() if count > MOST} == {}


def test_every_room_says_what_it_is_for():
    rooms = [
        path
        for path in MODULES.values()
        if path.name == "__init__.py" and len(path.relative_to(ROOT).parts) > 2
    ]
    silent = [
        path.parent.relative_to(ROOT).as_posix()
        for path in rooms
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_map_names_every_room():
    """`docs/architecture.md` is what a stranger reads to find the place of a change."""
    drawn = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent for path in MODULES.values() if len(path.relative_to(ROOT).parts) == 3}
    missing = [
        path.relative_to(ROOT).as_posix()
        for path in rooms
        if path.name != "schemas"
        and not re.search(rf"`{path.name}/`|^{path.name}$", drawn, re.MULTILINE)
    ]
    assert missing == []


def test_tests_lie_in_folders_named_after_rooms():
    strange = [
        folder.relative_to(ROOT).as_posix()
        for package in ("vault_sync", "experiments", "featherface")
        for folder in (ROOT / "tests" / package).iterdir()
        if folder.is_dir()
        and folder.name not in ("golden", "__pycache__")
        and not (ROOT / package / folder.name / "__init__.py").is_file()
    ]
    assert strange == []
