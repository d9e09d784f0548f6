"""The bibliography: BibTeX entries, the packaged ones and those of the student's own file.

Only as much of BibTeX is read as citing needs: which entries there are, and their text as it was
written. What stands in an entry is left to pandoc and LaTeX.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from experiments.workspace.milestones import FACTS
from experiments.yaml_io import not_utf8
from featherface.errors import DataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from experiments.workspace.workspace import Workspace

LARGEST = 20_000_000
"""Bytes; the export of a large reference manager is a few millions."""
_START = re.compile(r"@[ \t]*([A-Za-z]+)\s*[{(]")
_BRACE = re.compile(r"\\.|[{})]", re.DOTALL)
_NAME = re.compile(r"\s*([^\s,{}()\"=#%\\~]+)\s*,")
_UNKEYED = frozenset({"comment", "preamble", "string"})


def read_references(workspace: Workspace) -> dict[str, str]:
    """Return citation key -> text of its entry; the file named by `bibliography` wins.

    Raises:
        NotFoundError: thesis.toml names a file that is not there.
        DataError: an entry of it can't be read; the message names file and line.
    """
    packaged = FACTS / "references.bib"
    entries = parse_bibtex(packaged.read_text(encoding="utf-8"), packaged.name)
    own = own_file(workspace)
    return entries if own is None else entries | _read(own)


def own_file(workspace: Workspace) -> Path | None:
    """Return the file that the setting `bibliography` names; None where it names none."""
    named = str(workspace.settings["bibliography"]).strip()
    return (workspace.root / named).expanduser().resolve() if named else None


def missing(keys: Iterable[str], references: Mapping[str, str]) -> list[str]:
    """Return the KEYS that no entry has, each once."""
    return [key for key in dict.fromkeys(keys) if key not in references]


def parse_bibtex(text: str, where: str) -> dict[str, str]:
    """Return key -> text of each entry; `@string` macros stand before the entries that follow.

    Raises:
        DataError: an entry has no key or no end; the message names WHERE and the line.
    """
    macros: list[str] = []
    entries: dict[str, str] = {}
    for match, stop in _entries(text, where):
        kind, entry = match[1].lower(), text[match.start() : stop]
        if kind in _UNKEYED:
            macros += [entry] if kind == "string" else []
            continue
        name = _NAME.match(text, match.end())
        if name is None or name.end() > stop:
            raise DataError(f"{where}:{_line(text, match.start())}: an entry without a key")
        entries.setdefault(name[1], entry)
    used = {key: _with_macros(entry, macros) for key, entry in entries.items()}
    return used if macros else entries


def _read(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: too large for a bibliography")
        return parse_bibtex(path.read_text(encoding="utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    except OSError as error:
        raise NotFoundError(
            f"can't read the bibliography {path}: {error.strerror}",
            "correct bibliography in thesis.toml",
        ) from error


def _entries(text: str, where: str) -> Iterator[tuple[re.Match[str], int]]:
    """Yield where each entry begins, and where it ends."""
    place = 0
    while (match := _START.search(text, place)) is not None:
        if _commented(text, match.start()):
            place = match.end()
            continue
        place = _end(text, match, where)
        yield match, place


def _commented(text: str, place: int) -> bool:
    """Whether a line's `%` or other words stand before PLACE: no entry begins there."""
    return bool(text[text.rfind("\n", 0, place) + 1 : place].strip())


def _end(text: str, match: re.Match[str], where: str) -> int:
    """Return where the entry ends: at the brace that closes it."""
    closing = {"{": "}", "(": ")"}[match[0][-1]]
    depth = 0
    for brace in _BRACE.finditer(text, match.end()):
        if brace[0] == closing and depth == 0:
            return brace.end()
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth < 0:
            break
    raise DataError(
        f"{where}:{_line(text, match.start())}: the entry that begins here has no end",
        "close its braces",
    )


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _with_macros(entry: str, macros: Iterable[str]) -> str:
    """Put the @string macros that ENTRY names before it, so that it stands for itself."""
    named = []
    for macro in macros:
        name = re.match(r"@[ \t]*[A-Za-z]+\s*[{(]\s*([^\s=]+)\s*=", macro)
        if name and re.search(rf"(?:=|#)\s*{re.escape(name[1])}\b", entry, re.IGNORECASE):
            named.append(macro)
    return "\n".join([*named, entry])
