"""The digest of a definition and of all of ours that it reaches: what decides what it gives."""

from __future__ import annotations

import contextlib
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING

from featherface.filesystem.atomic import keep
from featherface.source.digest import program_digest
from featherface.source.packages import OURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featherface.source.modules import Definition, Modules
    from featherface.source.packages import Packages

KEPT_PROGRAMS = 4
"""States of the source whose digests stay on the disk: a student goes to and fro between two."""


def definition_digest(
    definition: Callable[..., object], kept: Path | None = None, packages: Packages = OURS
) -> str:
    """Return the SHA-256, in hex, of the code that a function or class of ours is made of.

    That is its own and that of every definition of ours that it names, and those name in turn:
    functions, whole classes, constants, tables, through imports of any kind. Neither names of
    modules, functions and files nor comments, formatting, docstrings and annotations count; a
    class's name and the annotations of its fields do, which show in what it does. What is only
    known while the program runs (a method of an argument, a module named by a string) isn't
    followed: whoever caches by this digest adds what such things give to the key. Versions of
    libraries aren't in it either.

    Args:
        definition: at the top of a module of PACKAGES; a method stands for its whole class.
        kept: folder where digests are remembered until any source changes; parsing costs
            about 3 ms a module.
        packages: what is ours.

    Raises:
        LookupError: it stands in no module of PACKAGES, or not at the top of it.
    """
    name = definition.__qualname__.partition(".")[0]
    return _kept_digest(definition.__module__, name, kept, packages)


@cache
def _kept_digest(module: str, name: str, kept: Path | None, packages: Packages) -> str:
    if kept is None:
        return _digest(module, name, packages)
    path = kept / f"{program_digest(packages)}.json"
    known = _read(path)
    key = f"{module}:{name}"
    if key not in known:
        _digest(module, name, packages)
        known |= _computed(packages)  # whatever else is asked for next stands there too then
        keep(path, json.dumps(known, indent=0, sort_keys=True))
        _forget(kept)
    return known[key]


@cache
def _computed(packages: Packages) -> dict[str, str]:
    """What this process has computed: `module:name` -> digest; `_digest` fills it."""
    del packages
    return {}


def _digest(module: str, name: str, packages: Packages) -> str:
    """Return a digest, computed once per process.

    Where what is reached can't be read (a student is at it), the whole program stands for it:
    what was kept is not found then, and whoever needs the module meets what is wrong with it.
    """
    known, key = _computed(packages), f"{module}:{name}"
    if key not in known:
        try:
            known[key] = _digest_of_reached(module, name, packages)
        except (SyntaxError, ValueError, OSError):
            whole = f"{program_digest(packages)} {key}"
            known[key] = hashlib.sha256(whole.encode()).hexdigest()
    return known[key]


def _digest_of_reached(module: str, name: str, packages: Packages) -> str:
    """Return the digest of what is reached, each definition numbered by when it is first met.

    So neither what it is called nor where it stands takes part, and circles do no harm.
    """
    from featherface.source.modules import Definition  # noqa: PLC0415 - rarely needed

    places = {Definition(module, name): 0}
    reached = list(places)
    total = hashlib.sha256()
    for definition in reached:  # grows meanwhile
        for token in _tokens(packages, definition):
            text = token
            if isinstance(token, Definition):
                if token not in places:
                    places[token] = len(places)
                    reached.append(token)
                text = f"@{places[token]}"
            total.update(f"{text}\0".encode())
        total.update(b"\n")
    return total.hexdigest()


@cache
def _tokens(packages: Packages, definition: Definition) -> list[str | Definition]:
    from featherface.source.canonical import tokens  # noqa: PLC0415 - rarely needed

    return tokens(_modules(packages), definition)


@cache
def _modules(packages: Packages) -> Modules:
    from featherface.source.modules import Modules  # noqa: PLC0415 - as above

    return Modules(packages)


def _read(path: Path) -> dict[str, str]:
    """Return what is kept in PATH; nothing where it is missing or damaged."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): bytes.fromhex(value).hex() for key, value in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _forget(kept: Path) -> None:
    """Remove what earlier states of the source left; another process may do so as well."""
    with contextlib.suppress(OSError):
        files = sorted(kept.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in files[:-KEPT_PROGRAMS]:
            path.unlink(missing_ok=True)
