"""The two programs that make documents: pandoc, and typst for PDF."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError
from vault_sync.export.reading.typst_signs import with_old_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vault_sync.export.reading.pandoc_ast import Node

OLDEST = (3, 5)
"""The first pandoc whose Typst is that of today's compiler."""
PATIENCE = 600.0
"""Seconds that pandoc may take."""
READER = "commonmark+pipe_tables+strikeout+task_lists+footnotes+tex_math_dollars+autolink_bare_uris"
"""What is left of Obsidian's Markdown once its own syntax is translated."""
FRAGMENT = "html-native_divs-native_spans"


def install(*packages: str) -> str:
    """Return the command that installs PACKAGES into the Python that runs."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install {' '.join(packages)}"


@cache
def find_pandoc() -> str:
    """Return the path of pandoc: that of pypandoc_binary, else the one of the system.

    Raises:
        UnavailableError: there is none, or it is too old.
    """
    known = [path for path in (_packaged(), shutil.which("pandoc")) if path]
    versions = {path: _version(path) for path in known}
    for path, version in versions.items():
        if version >= OLDEST:
            return path
    wanted = ".".join(map(str, OLDEST))
    too_old = ", ".join(
        f"{path} is {'.'.join(map(str, version))}" for path, version in versions.items()
    )
    raise UnavailableError(
        f"exporting needs pandoc {wanted} or later; {too_old or 'there is none'}",
        install("pypandoc_binary"),
    )


def _packaged() -> str | None:
    """Find the program inside the package, without importing it: that takes half a second."""
    spec = util.find_spec("pypandoc")
    for folder in (spec and spec.submodule_search_locations) or ():
        for name in ("pandoc", "pandoc.exe"):
            path = Path(folder, "files", name)
            if path.is_file():
                return str(path)
    return None


def _version(path: str) -> tuple[int, ...]:
    try:
        answer = _call([path, "--version"], Path.cwd())
    except (OSError, subprocess.SubprocessError):
        return ()
    match = re.match(rb"\S+ (\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else ()


def _call(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - a program we found, arguments we made
        command,
        cwd=folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=PATIENCE,
    )


def run_pandoc(arguments: Sequence[str], folder: Path) -> tuple[bytes, list[str]]:
    """Run pandoc in FOLDER; return what it prints, and what it warns of.

    Raises:
        UnavailableError: it can't be started, takes too long, or reports an error.
    """
    path = find_pandoc()
    try:
        answer = _call([path, *arguments], folder)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(
            f"pandoc ({path}) could not do its work: {type(error).__name__}",
            install("--force-reinstall", "pypandoc_binary"),
        ) from error
    messages = answer.stderr.decode("utf-8", "replace")
    if answer.returncode:
        raise UnavailableError(*_failure(messages, answer.returncode))
    return answer.stdout, _warnings(messages)


def _failure(messages: str, code: int) -> tuple[str, str]:
    """Word what pandoc reports, without its warnings, and what to do."""
    missing = re.search(r"File `([^']+)' not found", messages)
    if missing:
        return f"your LaTeX has no {missing[1]}", (
            f"install it (tlmgr install {Path(missing[1]).stem}), or leave --pdf-engine away"
        )
    errors = [line for line in messages.splitlines() if not line.startswith(("[WARNING]", "  "))]
    text = " ".join(" ".join(errors).split())[:600]
    return f"pandoc reports: {text or f'exit code {code}'}", (
        "export fewer notes to find the one that causes it: thesis vault export NOTE"
    )


def _warnings(messages: str) -> list[str]:
    """Return pandoc's warnings, each on one line."""
    entries = re.split(r"^\[(?:WARNING|INFO)\] ", messages, flags=re.MULTILINE)[1:]
    return list(dict.fromkeys(" ".join(entry.split()) for entry in entries))


def read(texts: Sequence[str], reader: str = READER) -> list[list[Node]]:
    """Parse TEXTS, each on its own, and return the blocks of each; pandoc is started once.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    if not texts:
        return []
    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        folder = Path(place)
        secret = secrets.token_hex(8)  # no note holds it by chance
        names = [f"part-{secret}-{number}.txt" for number in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            body = f"<p>{name}</p>\n{text}" if reader == FRAGMENT else f"{name}\n\n{text}"
            folder.joinpath(name).write_text(body, encoding="utf-8", newline="\n")
        # With --file-scope one note's footnotes and link definitions never meet another's.
        command = ["--from", reader, "--to", "json", "--file-scope", *names]
        blocks = json.loads(run_pandoc(command, folder)[0])["blocks"]
    return _part(blocks, names)


def _part(blocks: Iterable[Node], names: Sequence[str]) -> list[list[Node]]:
    """Split the blocks of all files where each begins: pandoc hands them over in one row."""
    parts: list[list[Node]] = []
    for block in blocks:
        following = len(parts)
        if following < len(names) and _is_named(block, names[following]):
            parts.append([])
        else:
            parts[-1].append(block)
    return parts


def _is_named(block: Node, name: str) -> bool:
    return block == {"t": "Para", "c": [{"t": "Str", "c": name}]}


def compile_typst(source: Path, output: Path) -> list[str]:
    """Make the PDF file OUTPUT from SOURCE, whose folder holds all it needs.

    Raises:
        UnavailableError: the typst package is missing, or the document is too much for it.
    """
    require_typst()
    import typst  # noqa: PLC0415 - an extra, and only PDF needs it

    source.write_text(with_old_names(source.read_text(encoding="utf-8")), encoding="utf-8")
    try:
        _, warnings = typst.compile_with_warnings(
            str(source), output=str(output), root=str(source.parent)
        )
    except typst.TypstError as error:
        raise UnavailableError(
            f"typst could not set the document: {error}",
            "export fewer notes to find the one that causes it: thesis vault export NOTE",
        ) from error
    return list(dict.fromkeys(str(getattr(warning, "message", warning)) for warning in warnings))


def require_typst() -> None:
    """Make sure that typst is installed.

    Raises:
        UnavailableError: it is not; the hint is the command that installs it.
    """
    if util.find_spec("typst") is None:
        raise UnavailableError("exporting to PDF needs typst, which is missing", install("typst"))
