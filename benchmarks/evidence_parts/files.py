"""Each file of a record edited, deleted, or joined by a stranger."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from evidence_parts.cases import VERIFY, Attack, Impossible
from evidence_parts.places import student

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "record.json": "record.json",
    "recipe.yaml": "recipe.yaml",
    "results.json": "results.json",
    "data.json": "data.json",
    "metrics.jsonl": "metrics.jsonl",
    "metrics.csv": "metrics.csv",
    "matches.npz": "matches.npz",
    "probes.json": "probes.json",
    "code.json": "code.json",
    "environment.txt": "environment.txt",
    "source.patch": "source.patch",
    "log.txt": "log.txt",
    "best weights": "checkpoints/best.safetensors",
    "last weights": "checkpoints/last.safetensors",
    "a prediction": "predictions/*/*.txt",
    "predictions.json": "predictions/predictions.json",
    "a plot": "plots/*.png",
    "SEAL.json": "SEAL.json",
}
"""What it is called -> where it lies in the record."""


def files(root: Path, pattern: str) -> list[Path]:
    those = sorted(student(root).glob(pattern))
    if not those:
        raise Impossible(f"the record has no {pattern}")
    return those


def edited(root: Path, pattern: str) -> None:
    """Change one byte in the middle; size and time stay."""
    path = files(root, pattern)[0]
    times = path.stat()
    content = bytearray(path.read_bytes())
    middle = next(at for at in range(len(content) // 2, len(content)) if chr(content[at]).isalnum())
    content[middle] = ord("8") if content[middle] != ord("8") else ord("7")
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def lengthened(root: Path, pattern: str) -> None:
    with files(root, pattern)[0].open("ab") as file:
        file.write(b" \n")


def emptied(root: Path, pattern: str) -> None:
    files(root, pattern)[0].write_bytes(b"")


def deleted(root: Path, pattern: str) -> None:
    for path in files(root, pattern):
        path.unlink()


def stray(root: Path, name: str) -> None:
    path = student(root) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a stranger\n")


def stray_folder(root: Path, name: str) -> None:
    path = student(root) / name
    path.mkdir(parents=True)
    (path / "results.json").write_bytes(b"{}\n")


def seal_is_a_folder(root: Path) -> None:
    (student(root) / "SEAL.json").unlink()
    (student(root) / "SEAL.json").mkdir()


def folder_deleted(root: Path, name: str) -> None:
    shutil.rmtree(student(root) / name)


FILES = (
    *(Attack(f"edit: {name}", partial(edited, pattern=at)) for name, at in NAMES.items()),
    *(
        Attack(f"delete: {name}", partial(deleted, pattern=NAMES[name]))
        for name in NAMES
        if name not in ("last weights", "a plot", "metrics.csv")
    ),
    Attack("delete: the folder of weights", partial(folder_deleted, name="checkpoints")),
    Attack("delete: the folder of predictions", partial(folder_deleted, name="predictions")),
    Attack("lengthen: results.json", partial(lengthened, pattern="results.json")),
    Attack("lengthen: log.txt", partial(lengthened, pattern="log.txt")),
    Attack("empty: results.json", partial(emptied, pattern="results.json")),
    Attack("empty: record.json", partial(emptied, pattern="record.json")),
    Attack("stray: a file in the record", partial(stray, name="notes.txt")),
    Attack("stray: a file at depth", partial(stray, name="plots/a/b/c.txt")),
    Attack("stray: Thumbs.db", partial(stray, name="Thumbs.db"), (VERIFY,)),
    Attack("stray: Thumbs.db at depth", partial(stray, name="plots/Thumbs.db"), (VERIFY,)),
    Attack("stray: .x.tmp", partial(stray, name=".x.tmp"), (VERIFY,)),
    Attack("stray: .x.tmp at depth", partial(stray, name="predictions/.x.tmp"), (VERIFY,)),
    Attack("stray: heartbeat.json at depth", partial(stray, name="plots/heartbeat.json")),
    Attack("stray: SEAL.json at depth", partial(stray, name="plots/SEAL.json")),
    Attack("stray: a folder called SEAL.json", partial(stray_folder, name="plots/SEAL.json")),
    Attack("stray: a folder called Thumbs.db", partial(stray_folder, name="Thumbs.db")),
    Attack("stray: SEAL.json is a folder", seal_is_a_folder),
)
