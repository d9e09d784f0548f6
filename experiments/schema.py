"""Dataclasses from plain nested values and back, with errors that name the key.

Generic on purpose: a new field of any configuration is a new recipe key without a line here.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import types
import typing
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from experiments.yaml_io import parse_value
from featherface.errors import UsageError, unknown

T = TypeVar("T")
NoneType = type(None)
LATE = {"Mapping": Mapping, "Path": Path}
"""Names that a configuration may import for annotations alone."""
WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}


class MisfitError(Exception):
    """A value is not of the type its key wants; `schema` turns it into a UsageError."""


def build(kind: type[T], values: Mapping[str, Any], origins: Mapping[str, str], at: str = "") -> T:
    """Return a KIND made of VALUES, every value checked against its field's type.

    `origins` maps dotted keys to the file or flag that set them; errors start with it.

    Raises:
        UsageError: a key is unknown (the nearest is named) or missing, or a value won't do.
    """
    wanted, inline = field_types(typing.cast("type", kind)), inline_field(kind)
    own = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    made: dict[str, Any] = {inline: {}} if inline else {}
    for key, value in values.items():
        path = join(at, key)
        if key not in wanted:
            raise UsageError(f"{_origin(origins, path)}{unknown_key(path, kind, at)}")
        place = made if key in own else made[inline]
        place[key] = _value(wanted[key], value, path, origins)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name not in made and _required(field):
            path = join(at, field.name)
            raise UsageError(f"{_origin(origins, path)}{path} is missing")
    try:
        return kind(**made)
    except UsageError as error:
        where = _blamed(error.message, origins) or (_origin(origins, at) if at else "")
        raise UsageError(f"{where}{error.message}", error.hint) from error


def plain(instance: Any) -> Any:
    """Return nested dicts, lists and plain values; `build` makes an equal instance of them."""
    if dataclasses.is_dataclass(instance):
        values = {
            field.name: plain(getattr(instance, field.name))
            for field in dataclasses.fields(instance)
        }
        inline = inline_field(type(instance))
        return values | values.pop(inline) if inline else values
    if isinstance(instance, Mapping):
        return {key: plain(value) for key, value in instance.items()}
    if isinstance(instance, tuple | list):
        return [plain(value) for value in instance]
    return instance.as_posix() if isinstance(instance, Path) else instance


@functools.cache
def keys(kind: type, at: str = "") -> Mapping[str, Any]:
    """Return dotted key -> type of every value a KIND may hold, in order."""
    types: dict[str, Any] = {}
    for name, wanted in field_types(kind).items():
        path = join(at, name)
        inner = _dataclass_of(wanted)
        types |= keys(inner, path) if inner else {path: wanted}
    return types


def parse(text: str, wanted: Any) -> Any:
    """Return the value that TEXT, typed after `--set key=`, means where WANTED is expected."""
    value = parse_value(text)
    try:
        convert(value, wanted)
    except MisfitError:
        return text
    return value


def convert(value: Any, wanted: Any) -> Any:
    """Return VALUE as a WANTED; raises MisfitError, which says what is wanted."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted is Any:
        return value
    if origin in (Union, types.UnionType):
        return _first(value, arguments, wanted)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            raise MisfitError(unknown("choice", str(value), map(str, arguments)))
        return value
    if origin in (tuple, list):
        return _sequence(value, arguments, wanted)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise MisfitError(f"must be {describe(wanted)}")
        return {str(key): convert(item, arguments[1]) for key, item in value.items()}
    return _scalar(value, wanted)


def describe(wanted: Any) -> str:
    """Word the type WANTED for a person."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted in WORDS:
        return WORDS[wanted]
    if origin in (Union, types.UnionType):
        named = [describe(argument) for argument in arguments if argument is not NoneType]
        return " or ".join(named) + (", or null" if NoneType in arguments else "")
    if origin is Literal:
        choices = ", ".join(map(str, arguments))
        return choices if len(arguments) == 1 else f"one of {choices}"
    if origin in (tuple, list):
        members = [argument for argument in arguments if argument is not Ellipsis]
        inner = describe(members[0]) if members else "values"
        count = "" if Ellipsis in arguments or origin is list else f" of {len(members)}"
        return f"a list{count}, each {inner}"
    return "a mapping of keys to values"


@functools.cache
def field_types(kind: type) -> Mapping[str, Any]:
    """Return key -> type of what a KIND is made of.

    A field with the metadata `inline: OTHER` holds a mapping whose keys, OTHER's fields, are
    written beside KIND's own: `model.channels`, not `model.overrides.channels`.
    """
    hints = typing.get_type_hints(kind, localns=LATE)
    types: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        inline = field.metadata.get("inline")
        types |= field_types(inline) if inline else {field.name: hints[field.name]}
    return types


def unknown_key(path: str, kind: type, at: str = "") -> str:
    """Word the message for PATH, no key of KIND (the section AT): the nearest, or the choices."""
    section = [join(at, name) for name in field_types(kind)]
    everywhere = section if at else [*section, *keys(kind)]
    near = difflib.get_close_matches(path, everywhere, n=1, cutoff=0.5)
    return unknown("key", path, near or section)


def shown(value: Any) -> str:
    """Word VALUE as a recipe writes it."""
    if value is None or isinstance(value, bool):
        return "empty" if value is None else str(value).lower()
    return str(value) if isinstance(value, date) else repr(value)


def inline_field(kind: type) -> str:
    """Return the name of KIND's inline field, empty where it has none."""
    fields = dataclasses.fields(kind)
    return next((field.name for field in fields if "inline" in field.metadata), "")


def join(at: str, name: str) -> str:
    """Return the dotted key of NAME inside AT."""
    return f"{at}.{name}" if at else name


def _value(wanted: Any, value: Any, path: str, origins: Mapping[str, str]) -> Any:
    rows = _rows_of(wanted)
    if rows and isinstance(value, list | tuple):
        numbered = enumerate(value, 1)
        return tuple(_value(rows, item, f"{path}.{at}", origins) for at, item in numbered)
    inner = _dataclass_of(wanted)
    if inner and isinstance(value, Mapping):
        return build(inner, value, origins, path)
    if inner and not (value is None and NoneType in typing.get_args(wanted)):
        raise UsageError(
            f"{_origin(origins, path)}{path} is {shown(value)}; it must hold keys of its own"
        )
    try:
        return convert(value, wanted)
    except MisfitError as error:
        text = f"{_origin(origins, path)}{path} is {shown(value)}; it {error}"
        raise UsageError(text, f"change it in the recipe, or with --set {path}=VALUE") from None


def _first(value: Any, arguments: tuple[Any, ...], wanted: Any) -> Any:
    if value is None and NoneType in arguments:
        return None
    for argument in arguments:
        if argument is not NoneType:
            try:
                return convert(value, argument)
            except MisfitError:
                continue
    raise MisfitError(f"must be {describe(wanted)}")


def _sequence(value: Any, arguments: tuple[Any, ...], wanted: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise MisfitError(f"must be {describe(wanted)}")
    members = [argument for argument in arguments if argument is not Ellipsis]
    if Ellipsis in arguments or typing.get_origin(wanted) is list:
        members = members * len(value)
    if len(members) != len(value):
        raise MisfitError(f"must be {describe(wanted)}")
    try:
        return tuple(convert(item, kind) for item, kind in zip(value, members, strict=True))
    except MisfitError as error:
        raise MisfitError(f"must be {describe(wanted)}") from error


def _scalar(value: Any, wanted: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is float and number and math.isfinite(value):
        return float(value)
    if wanted is int and number and math.isfinite(value) and value == int(value):
        return int(value)
    if wanted is Path and isinstance(value, str | Path):
        return Path(value)
    if wanted in (bool, str) and isinstance(value, wanted):
        return value
    if dataclasses.is_dataclass(wanted) and isinstance(value, Mapping):
        return value  # `build` looks at its keys
    raise MisfitError(f"must be {describe(wanted)}")


def _dataclass_of(wanted: Any) -> Any:
    """Return the dataclass that WANTED is, or is optionally; None for anything else."""
    candidates = [argument for argument in typing.get_args(wanted) if argument is not NoneType] or [
        wanted
    ]
    union = typing.get_origin(wanted) in (Union, types.UnionType)
    chosen = candidates[0] if union and len(candidates) == 1 else wanted
    return chosen if isinstance(chosen, type) and dataclasses.is_dataclass(chosen) else None


def _rows_of(wanted: Any) -> Any:
    """Return the dataclass that WANTED is a list of; None for anything else."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    return _dataclass_of(arguments[0]) if origin in (tuple, list) and arguments else None


def _required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _origin(origins: Mapping[str, str], path: str) -> str:
    """Return `FILE: ` of the origin of PATH, or of the nearest key above or below it."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        above = ".".join(parts[:length])
        if above in origins:
            return f"{origins[above]}: "
        below = [origins[key] for key in origins if key.startswith(f"{above}.")]
        if below:
            return f"{below[-1]}: "
    return ""


def _blamed(message: str, origins: Mapping[str, str]) -> str:
    """Return `FILE: ` of the key that MESSAGE speaks of first."""
    named = [key for key in origins if "." in key and key in message]
    return f"{origins[max(named, key=len)]}: " if named else ""
