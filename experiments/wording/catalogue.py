"""The phrases of both languages, for terminal, plots and notes alike.

They stand in `templates/<language>/words/*.toml`. A phrase is found by a dotted key: `plot.epoch`
is `epoch` in the table `[plot]` of any of the files. What stands in braces is filled in. The files
are read when a phrase is first asked for.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class PhraseError(LookupError):
    """There is no such phrase, or it needs a value that it was not given."""


_looked_up: ContextVar[set[str] | None] = ContextVar("_looked_up", default=None)


def phrase(key: str, language: str) -> str:
    """Return the phrase KEY as it stands, braces included.

    Raises:
        PhraseError: LANGUAGE has none; the message names both.
    """
    _note(key)
    try:
        return phrases(language)[key]
    except KeyError:
        message = f"no phrase {key!r} in templates/{language}/words"
        raise PhraseError(message) from None


def find(group: str, name: str, language: str) -> str | None:
    """Return the phrase NAME of GROUP; None where there is none, as for a name of the user's."""
    key = f"{group}.{name}"
    _note(key)
    return phrases(language).get(key)


def names(group: str, language: str) -> list[str]:
    """Return the names of GROUP's phrases, in the order of the files."""
    start = f"{group}."
    keys = [key for key in phrases(language) if key.startswith(start)]
    for key in keys:
        _note(key)
    return [key.removeprefix(start) for key in keys]


def fill(key: str, language: str, values: Mapping[str, str]) -> str:
    """Return the phrase KEY with VALUES in place of its braces.

    Raises:
        PhraseError: there is none, or it needs a value that is not in VALUES.
    """
    try:
        return phrase(key, language).format_map(values)
    except KeyError as error:
        message = f"phrase {key!r} ({language}) needs a value for {error}"
        raise PhraseError(message) from None


@cache
def phrases(language: str) -> Mapping[str, str]:
    """Return dotted key -> phrase, all of LANGUAGE; a table may be continued in another file."""
    import tomllib  # noqa: PLC0415 - most commands say nothing of the catalogue
    from importlib import resources  # noqa: PLC0415 - as above

    folder = resources.files("templates").joinpath(language, "words")
    known: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            known.update(_flat(tomllib.loads(file.read_text("utf-8"))))
    return known


def phrases_digest(language: str, keys: Iterable[str] | None = None) -> str:
    """Return a digest of the phrases KEYS (default: all), for caches of what is written with them.

    Whoever keeps a picture keeps the keys that `recording` gave while it was drawn, and draws it
    again once their digest is another one. A key without a phrase counts too: there may come one.
    """
    if keys is None:
        return _digest_of_all(language)
    return _digest(language, keys)


@contextmanager
def recording() -> Iterator[set[str]]:
    """Collect the keys of all phrases that are looked up within."""
    outer, keys = _looked_up.get(), set[str]()
    token = _looked_up.set(keys)
    try:
        yield keys
    finally:
        _looked_up.reset(token)
        if outer is not None:
            outer |= keys


@cache
def _digest_of_all(language: str) -> str:
    return _digest(language, phrases(language))


def _digest(language: str, keys: Iterable[str]) -> str:
    known = phrases(language)
    chosen = [[key, known.get(key)] for key in sorted(set(keys))]
    return hashlib.sha256(json.dumps(chosen).encode()).hexdigest()


def _note(key: str) -> None:
    keys = _looked_up.get()
    if keys is not None:
        keys.add(key)


def _flat(table: Mapping[str, object], start: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{start}{name}.")
        else:
            yield f"{start}{name}", str(value)
