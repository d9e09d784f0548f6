"""Reading YAML safely: version 1.2, plain values only, no duplicate key, bounded in size."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from featherface.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1_000_000
"""Bytes; a recipe is a page."""


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
        raise UsageError(f"{path}: not UTF-8 text: {error}") from error


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """Return the mapping that TEXT holds; WHERE names it in errors."""
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - takes 30 ms to import

    try:
        content = _yaml().load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{where}{_position(error)}: not a valid recipe: {_reason(error)}"
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UsageError(f"{where}: a recipe is a mapping of keys to values")
    return content


def parse_value(text: str) -> Any:
    """Return the value that TEXT means in YAML: `3`, `1e-3`, `true`, `[1, 2]`, a word."""
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - takes 30 ms to import

    try:
        return _yaml().load(text) if text.strip() else ""
    except (YAMLError, ValueError):
        return text


def write_yaml(content: dict[str, Any]) -> str:
    """Return CONTENT as YAML text, keys in their order."""
    stream = io.StringIO()
    _yaml().dump(content, stream)
    return stream.getvalue()


def _yaml() -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 - takes 30 ms to import

    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = False
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 100
    return yaml


def _position(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark is not None else ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
