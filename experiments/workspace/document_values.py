"""What the keys of `document` and `export` in thesis.toml may hold: texts, days, people, parts.

Each function makes the program's value of TOML's; its ValueError says what the value must be.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

DEGREES: dict[str, tuple[str, ...]] = {
    "phd": ("these", "thesis", "doctorat", "doctorate"),
    "master": ("memoire", "m1", "m2"),
    "bachelor": ("licence",),
    "engineer": ("ingenieur", "engineering"),
    "report": ("rapport",),
}
"""Degree -> the other names by which thesis.toml may call it, without accents."""
LISTS = ("figures", "tables")
"""Lists that may follow the table of contents."""
PERSON = ("name", "role", "affiliation")
"""Keys of a member of the jury or a supervisor."""


def read_text(value: Any) -> str:
    """Read a text; it may hold lines."""
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004 - `read` words the error
    return value.strip()


def read_texts(value: Any) -> tuple[str, ...]:
    """Read a list of texts; a text alone is a list of one."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) for one in values):
        raise ValueError("must be text, or a list of texts")
    return tuple(one.strip() for one in values if one.strip())


def read_day(value: Any) -> str:
    """Read a date as TOML or as text has it: `2026-06-05`."""
    text = value.isoformat()[:10] if isinstance(value, date) else value
    if not isinstance(text, str):
        raise ValueError("must be a date")  # noqa: TRY004 - `read` words the error
    if not text.strip():
        return ""
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text.strip()):
        raise ValueError("must be a date, as year-month-day")
    parts = [int(part) for part in text.strip().split("-")]
    try:
        date(*[*parts, 1, 1][:3])
    except ValueError as error:
        raise ValueError("must be a day that there is") from error
    return text.strip()


def read_people(value: Any) -> tuple[dict[str, str], ...]:
    """Read people as tables with the keys PERSON, empty where nothing is told."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(person for one in values if (person := _person(one))["name"])


def _person(value: Any) -> dict[str, str]:
    """Read `Name`, `Name, affiliation`, or a table with a name, a role and an affiliation."""
    if isinstance(value, str):
        name, _, affiliation = value.partition(",")
        return {"name": name.strip(), "role": "", "affiliation": affiliation.strip()}
    if not isinstance(value, dict):
        raise ValueError("must be a list of names, or of tables with a name")  # noqa: TRY004 - `read` words the error
    for key, inner in value.items():
        if key not in PERSON:
            raise ValueError(f"knows no {key!r} of a person{_nearest(key, PERSON)}")
        if not isinstance(inner, str):
            raise ValueError(f"must have text in quotes as {key}")  # noqa: TRY004 - as above
    if not value.get("name", "").strip():
        raise ValueError("must give each person a name")
    return {key: value.get(key, "").strip() for key in PERSON}


def read_degree(value: Any) -> str:
    """Read a degree by any of its names."""
    text = read_text(value)
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    if not letters:
        return ""
    for degree, names in DEGREES.items():
        if letters in (degree, *names):
            return degree
    known = [name for degree, names in DEGREES.items() for name in (degree, *names)]
    raise ValueError(f"must be one of {', '.join(DEGREES)}{_nearest(letters, known)}")


def read_parts(value: Any) -> dict[str, tuple[str, ...]]:
    """Read a table of titles, each with its chapters."""
    if not isinstance(value, dict):
        raise ValueError("must be a table of titles, each with its chapters")  # noqa: TRY004 - as above
    return {str(title): read_texts(chapters) for title, chapters in value.items()}


def read_lists(value: Any) -> tuple[str, ...]:
    """Read which lists follow the contents."""
    values = read_texts(value)
    for one in values:
        if one not in LISTS:
            raise ValueError(f"may name {' and '.join(LISTS)}{_nearest(one, LISTS)}")
    return values


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the one of KNOWN that NAME may mean, as the end of a sentence."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
