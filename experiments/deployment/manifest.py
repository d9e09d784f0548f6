"""The manifest of a package: read, written, and known to be the one that was written."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from featherface.engines.listed_files import MANIFEST
from featherface.errors import ClaimFalseError, NotFoundError
from featherface.filesystem.atomic import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = "thesis/package/1"
DIGEST = "digest"
"""Key of the SHA-256 over everything else in the manifest."""
PACKAGE_AGAIN = "make it again: thesis export package"


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of CONTENT, its own digest left out.

    It shows a change by accident; who changes a manifest on purpose can write a fitting one.
    """
    rest = {key: value for key, value in content.items() if key != DIGEST}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def as_text(content: Mapping[str, Any]) -> str:
    """Return the text of the manifest of CONTENT, with its digest."""
    whole = {**content, DIGEST: digest_of(content)}
    return json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what the manifest of the package in FOLDER says.

    Raises:
        NotFoundError: there is no such folder, or it holds no manifest.
        ClaimFalseError: the manifest is not the one that was written.
    """
    path = folder / MANIFEST
    if not path.is_file():
        kind = "holds no manifest.json" if folder.is_dir() else "is no folder"
        raise NotFoundError(
            f"{folder} {kind}, so it is no package",
            "make one: thesis export package --run SELECTOR --output FOLDER",
        )
    try:
        content = json.loads(read_text(path))
        known = content["schema"] == SCHEMA and content[DIGEST] == digest_of(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClaimFalseError(f"{path} was changed: it can't be read", PACKAGE_AGAIN) from error
    if not known:
        raise ClaimFalseError(
            f"{path} was changed since it was written: its digest is another", PACKAGE_AGAIN
        )
    entries = (*content["models"], *content["files"])
    if outside := [entry["path"] for entry in entries if leaves(entry["path"])]:
        raise ClaimFalseError(f"{path} names a file outside its folder: {outside[0]}")
    manifest: dict[str, Any] = content
    return manifest


def leaves(name: str) -> bool:
    r"""Whether the file NAME of a manifest would lie outside the package's folder.

    >>> leaves("models/v2.onnx"), leaves("../v2.onnx"), leaves("/v2.onnx"), leaves("C:\\v2.onnx")
    (False, True, True, True)
    """
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
