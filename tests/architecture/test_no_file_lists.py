"""No list of our own source files decides anything: a module may be moved and renamed."""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("thesis_cli", "vault_sync", "experiments", "featherface")
PATTERNS = ("*.py", "**/*.py", ".py", "__init__.py")
"""Text that means every source file, whatever its name."""


def texts(source):
    """Yield line and value of the strings of SOURCE that are no docstrings."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in docstrings:
            yield node.lineno, text


def modules():
    """Return the paths of our modules and folders, from their package and from inside it."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            inner = path.relative_to(ROOT / package)
            for place in (inner, *inner.parents):
                if len(place.parts) > 1:
                    found.add(place.with_suffix("").as_posix())
    return found


def names_a_file(text, known):
    """Whether TEXT names a source file of ours, or a folder of them; a sentence names none."""
    if text in PATTERNS or any(letter.isspace() for letter in text):
        return False
    if text.endswith(".py"):
        return True
    plain = text.rstrip("/*")
    *package, inner = plain.split("/", 1) if plain.startswith(PACKAGES) else (plain,)
    del package
    return "/" in text and PurePosixPath(inner).as_posix() in known


def offenders(files):
    """Return where FILES hold such a text."""
    known = modules()
    return [
        f"{path.relative_to(ROOT).as_posix()}:{line}: {text!r}"
        for path in files
        for line, text in texts(path.read_text(encoding="utf-8"))
        if names_a_file(text, known)
    ]


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree")
def test_no_text_names_a_source_file():
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert files
    assert offenders(files) == []


@pytest.mark.parametrize(
    "text",
    [
        "checking.py",
        "networks/heads/ssh.py",
        "networks/**/*.py",
        "geometry/suppression",
        "featherface/geometry/suppression",
        "data/synthetic/",
        "featherface/networks/heads/*",
    ],
)
def test_what_names_a_file_is_noticed(text):
    assert names_a_file(text, modules())


@pytest.mark.parametrize(
    "text",
    ["*.py", "checkpoints/best.safetensors", "run dev.py first", "val", "event/name.jpg"],
)
def test_other_text_is_not(text):
    assert not names_a_file(text, modules())


def test_docstrings_may_name_files():
    source = '"""See a.py."""\nX = "b.py"\ndef f():\n    """c.py"""\n    return f"{X}/d.py"\n'
    assert [text for _, text in texts(source)] == ["b.py", "/d.py"]
