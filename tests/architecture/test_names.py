"""One class name, one meaning: no two classes of the four packages share a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("thesis_cli", "vault_sync", "experiments", "featherface")

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree"
)


def class_places():
    """Return class name -> `file:line` of each definition, nested ones too."""
    places = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(f"{name}:{node.lineno}")
    return places


def test_no_two_classes_share_a_name():
    shared = {name: places for name, places in class_places().items() if len(places) > 1}
    lines = [f"{name}: {', '.join(places)}" for name, places in sorted(shared.items())]
    assert not lines, "name each of these classes by what only it is:\n" + "\n".join(lines)
