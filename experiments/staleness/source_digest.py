"""The detection core's source as a record keeps it, so that a later change can be told in full.

Two digests per file: of its bytes, which is quick to compare, and of what is left without
comments, docstrings and blank lines, which decide no number.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from featherface import errors
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE = "code.json"
"""The file of a record that `write_code` makes."""
ROOT = Path(errors.__file__).parent


def code_digest() -> str:
    """Return the SHA-256 of the detection core's source: what decides the numbers."""
    total = hashlib.sha256()
    for name, content in _sources().items():
        total.update(f"{name}\n{len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


def write_code(folder: Path) -> None:
    """Keep the digests of every source file in FOLDER's code.json."""
    write_atomic(folder / CODE, _described())


def read_code(folder: Path) -> dict[str, tuple[str, str]]:
    """Return file -> its two digests, as FOLDER keeps them; empty where it keeps none."""
    try:
        files = json.loads((folder / CODE).read_text(encoding="utf-8"))["files"]
        return {str(name): (str(raw), str(bare)) for name, (raw, bare) in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def changed_files(recorded: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return which source files were added, removed or changed in more than their comments."""
    now = _sources()
    return [
        name
        for name in sorted(now.keys() | recorded.keys())
        if name not in now or name not in recorded or _differs(now[name], *recorded[name])
    ]


@cache
def bare_digest(content: bytes) -> str:
    """Return a short SHA-256 of Python source without comments, docstrings and blank lines.

    Cut from the text, not made from the syntax tree: another Python gives the same digest.
    """
    text = content.decode("utf-8", errors="replace")
    # Whatever is no Python is told apart by its text as it stands.
    with contextlib.suppress(SyntaxError, tokenize.TokenError, ValueError):
        text = "\n".join(_bare_lines(text))
    return _digest(text.encode("utf-8"))


def _bare_lines(text: str) -> list[str]:
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and _is_text(node.value):
            last = node.end_lineno or node.lineno
            lines[node.lineno - 1 : last] = [""] * (last - node.lineno + 1)
    return [line.rstrip() for line in lines if line.strip()]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _differs(content: bytes, raw: str, bare: str) -> bool:
    return _digest(content) != raw and bare_digest(content) != bare


@cache
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]  # to tell apart, not to prove


@cache
def _described() -> str:
    files = {name: [_digest(text), bare_digest(text)] for name, text in _sources().items()}
    return json.dumps({"schema": 1, "files": files}, indent=1) + "\n"


@cache
def _sources() -> dict[str, bytes]:
    """Return path -> content of the core's files, with LF ends."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes().replace(b"\r\n", b"\n")
        for path in sorted(ROOT.rglob("*.py"))
    }
