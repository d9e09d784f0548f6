"""Reading YAML safely: version 1.2, plain values only, no duplicate key, bounded in size."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from featherface.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HINT = "write paths with '/', or in single quotes: 'C:\\Users\\me\\data'"
"""What a backslash between double quotes calls for."""
LARGEST = 1_000_000
"""Bytes; a recipe is a page."""
BARE = re.compile(r"[^\W\d_](?:[\w./@+()'-]|,? (?=\w))*")
NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that PATH holds.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is too large or not a YAML mapping; the message names file and line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"can't read {path}: {error.strerror}") from error
    if len(content) > LARGEST:
        raise UsageError(f"{path}: {len(content):,} bytes is no recipe")
    try:
        return parse_yaml(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error


def not_utf8(path: Path) -> UsageError:
    """Tell that PATH was saved in another encoding, as some editors and shells do."""
    return UsageError(
        f"{path}: not UTF-8 text", "save it again in your editor with the encoding UTF-8"
    )


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """Return the mapping that TEXT holds; WHERE names it in errors."""
    try:
        return deepcopy(_parsed(text))
    except _NoRecipeError as error:
        raise UsageError(f"{where}{error.message}", error.hint) from error


class _NoRecipeError(UsageError):
    """The text is none; the message leaves out where it stands."""


@lru_cache(maxsize=256)
def _parsed(text: str) -> dict[str, Any]:
    """Parse once: versions of an experiment hold the same recipe, and each takes 50 ms."""
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - takes 30 ms to import

    try:
        _refuse_aliases(text)
        content = _yaml().load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        hint = HINT if "escape" in _reason(error) else None
        message = f"{_position(error)}: not a valid recipe: {_reason(error)}"
        raise _NoRecipeError(message, hint) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise _NoRecipeError(": a recipe is a mapping of keys to values")
    return content


def parse_value(text: str) -> Any:
    """Return the value that TEXT means in YAML: `3`, `1e-3`, `true`, `[1, 2]`, a word."""
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - takes 30 ms to import

    try:
        return _yaml().load(text) if text.strip() else ""
    except (YAMLError, ValueError):
        return text


def write_yaml(content: Mapping[str, Any]) -> str:
    """Return CONTENT as YAML text, keys in their order; `parse_yaml` gives equal values back.

    Text is left bare only where every reader of YAML 1.1 and 1.2 takes it for text.
    """
    return "".join(f"{line}\n" for line in _mapping(content)) or "{}\n"


def _mapping(content: Mapping[str, Any]) -> Iterator[str]:
    for key, value in content.items():
        name = _scalar(key)
        if isinstance(value, dict | list) and value:
            yield f"{name}:"
            yield from (f"  {line}" for line in _block(value))
        else:
            yield f"{name}: {_scalar(value)}"


def _block(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _mapping(value)
        return
    for member in value:
        if isinstance(member, dict | list) and member:
            first, *rest = _block(member)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_scalar(member)}"


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    text = str(value)
    if BARE.fullmatch(text) and text.lower() not in NOT_TEXT:
        return text
    return UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _yaml() -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 - takes 30 ms to import

    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = False
    return yaml


def _refuse_aliases(text: str) -> None:
    """Refuse `*name`: a few lines of them can stand for billions of values."""
    if "*" not in text:
        return
    from ruamel.yaml.events import AliasEvent  # noqa: PLC0415 - as above

    if any(isinstance(event, AliasEvent) for event in _yaml().parse(text)):
        raise ValueError("an alias (*name): write the value out, or use extends")


def _position(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark is not None else ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
