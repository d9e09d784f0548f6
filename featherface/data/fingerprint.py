"""Fingerprints of data sets: counts and hashes, small enough for every record."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featherface.data.widerface import Split


def fingerprint(split: Split) -> dict[str, Any]:
    """Return counts, bytes, the annotation's SHA-256 and that of the sorted (path, size) list.

    Sizes stand for contents: reading every picture of WIDER FACE would take minutes.
    """
    sizes = sorted((image.path, split.path(image).stat().st_size) for image in split.images)
    listing = "".join(f"{path}\t{size}\n" for path, size in sizes)
    return {
        "kind": split.kind,
        "split": split.name,
        "images": len(sizes),
        "faces": split.annotations.faces,
        "bytes": sum(size for _, size in sizes),
        "annotation_sha256": _annotation_sha256(split.annotation_file),
        "files_sha256": hashlib.sha256(listing.encode("utf-8")).hexdigest(),
    }


def split_digest(digests: Mapping[str, Any]) -> str:
    """Join the DIGESTS that `fingerprint` gave of pictures and annotation to one to be shown."""
    joined = f"{digests['files_sha256']}\t{digests['annotation_sha256']}"
    return hashlib.sha256(joined.encode("utf-8")).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _annotation_sha256(path: Path) -> str:
    """Hash the annotation; of a folder of labels, every file's name and content."""
    if path.is_file():
        return file_sha256(path)
    files = sorted(file for file in path.rglob("*.txt") if file.is_file())
    listing = "".join(
        f"{file.relative_to(path).as_posix()}\t{file_sha256(file)}\n" for file in files
    )
    return hashlib.sha256(listing.encode("utf-8")).hexdigest()
