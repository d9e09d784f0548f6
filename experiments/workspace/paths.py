"""Paths in settings and recipes, Windows' too: checked, made relative, compared.

A record must not turn into another one because its workspace was moved or a disk got another
letter: paths below the workspace are kept relative, with forward slashes, and of any other only the
last name counts. What lies there is told by fingerprints, not by where it lies.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGED_RECIPES = Path(__file__).parents[1] / "recipes"
"""Folder of the recipes that come with the program."""
ROOT = "data.root"
KEYS = (
    ROOT,
    "data.ground_truth",
    "data.labels",
    "model.weights",
    "model.backbone_weights",
    "distill.teacher_weights",
    "evaluate.predictions",
)
"""Keys of a recipe that hold a path."""
PROSE = ("title", "hypothesis")
"""Keys of a recipe that may hold several lines."""
ESCAPES = dict(zip("\0\a\b\t\n\v\f\r\x1b\x85\u2028\u2029", "0abtnvfreNLP", strict=True))
"""Character -> the letter that stands for it after a backslash, in TOML or YAML."""


def check(where: str, key: str, value: object) -> None:
    r"""Refuse VALUE of KEY, text or a list, if it holds control characters; WHERE set it.

    `"D:\temp"` is D:, a TAB and emp: between double quotes a backslash begins an escape.

    Raises:
        UsageError: the hint has the path as it was meant.
    """
    for text in value if isinstance(value, list | tuple) else (value,):
        spoilt = (
            [character for character in text if _unfit(character)] if isinstance(text, str) else []
        )
        if spoilt:
            name = f"\\{ESCAPES[spoilt[0]]}" if spoilt[0] in ESCAPES else ascii(spoilt[0])[1:-1]
            meant = "".join(
                f"\\{ESCAPES[character]}" if character in ESCAPES else character
                for character in text
            )
            raise UsageError(
                f"{where}: {key} is {text!r}, with a control character in it: between double"
                f" quotes {name} stands for one",
                f"write {meant.replace(chr(92), '/')}, or in single quotes: '{meant}'",
            )


def stored(root: Path, data_roots: Mapping[str, Path], key: str, value: str) -> str:
    """Return how a recipe keeps the path VALUE of KEY: the same wherever its workspace lies.

    Below ROOT, the workspace, it is relative; a named data set is called by its name; others stay.
    """
    path = Path(value).expanduser()
    if not path.is_absolute():
        return value.replace("\\", "/") if os.name == "nt" else value
    if key == ROOT:
        named = (name for name, folder in data_roots.items() if folder == path.resolve())
        if name := next(named, None):
            return name
    for whole in (Path(os.path.abspath(path)), path.resolve()):  # noqa: PTH100 - links stay
        if whole.is_relative_to(root):
            return whole.relative_to(root).as_posix()
    return value


def identity(value: object) -> object:
    """Return what the path VALUE contributes to a recipe's identity."""
    return _last(value) if isinstance(value, str) and absolute(value) else value


def same(key: str, first: object, second: object) -> bool:
    """Whether ONE and OTHER, values of a recipe's KEY, may mean the same.

    Paths do where the last name is the same and one of them says where a disk or a workspace was.
    """
    if first == second:
        return True
    if key not in KEYS or not isinstance(first, str) or not isinstance(second, str):
        return False
    return (absolute(first) or absolute(second)) and _last(first) == _last(second)


def twin(name: str, others: Iterable[str]) -> str | None:
    """Return the one of OTHERS that NAME would be on a disk that knows no case; None without any.

    Windows and macOS have such disks; here a name means what is written so, whatever the disk.
    """
    return next(
        (known for known in others if known.casefold() == name.casefold() and known != name), None
    )


def names(folder: Path) -> list[str]:
    """Return what FOLDER holds, as it is written there; nothing where it is no folder."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - names, not paths
    except (FileNotFoundError, NotADirectoryError):
        return []


def absolute(value: str) -> bool:
    """Whether VALUE is an absolute path on some system."""
    return bool(PureWindowsPath(value).drive) or PurePosixPath(value).is_absolute()


def relative(root: Path, path: Path) -> str:
    """Return PATH from ROOT where it lies below, else whole; with forward slashes."""
    whole = path.resolve()
    return (whole.relative_to(root) if whole.is_relative_to(root) else whole).as_posix()


def found(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths among nested VALUES of a recipe: dotted key -> path."""
    pairs = {key: values.get(key.split(".")[0]) for key in KEYS}
    inner = {
        key: section.get(key.split(".")[1])
        for key, section in pairs.items()
        if isinstance(section, dict)
    }
    return {key: value for key, value in inner.items() if isinstance(value, str)}


def _last(value: str) -> str:
    return PureWindowsPath(value).name


def _unfit(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Zl", "Zp")
