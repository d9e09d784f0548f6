"""Records in another place than they were made: moved, copied, linked, swapped, gone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from evidence_parts.cases import COMPARE, NUMBERS, SYNC, VERIFY, Attack, Impossible
from evidence_parts.verbs import call

if TYPE_CHECKING:
    from pathlib import Path

ULTRA = ("v1", "v2-ultra")
OWN = ("verify", "compare", "milestone")
"""Verbs that are asked about the copy; the chapters speak of v2, which stayed."""


def student(root: Path) -> Path:
    return root / "runs" / "v2" / "001"


def renamed(root: Path) -> None:
    student(root).rename(root / "runs" / "v2" / "002")


def copied_to_version(root: Path) -> None:
    shutil.copytree(student(root), root / "runs" / "v2" / "002")


def copied_to_experiment(root: Path) -> None:
    shutil.copytree(student(root), root / "runs" / "v2-ultra" / "001")


def moved_to_experiment(root: Path) -> None:
    (root / "runs" / "v2-ultra").mkdir()
    student(root).rename(root / "runs" / "v2-ultra" / "001")


def renamed_experiment(root: Path) -> None:
    (root / "runs" / "v2").rename(root / "runs" / "v2-ultra")


def swapped(root: Path) -> None:
    teacher, between = root / "runs" / "v1" / "001", root / "runs" / "between"
    teacher.rename(between)
    student(root).rename(teacher)
    between.rename(student(root))


def teacher_as_student(root: Path) -> None:
    shutil.rmtree(student(root))
    shutil.copytree(root / "runs" / "v1" / "001", student(root))


def linked(target: Path, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:
        raise Impossible("no symbolic links here") from error


def linked_to_experiment(root: Path) -> None:
    linked(student(root), root / "runs" / "v2-ultra" / "001")


def linked_folder_with_other_content(root: Path) -> None:
    outside = root.parent / "outside"
    student(root).rename(outside)
    edited_result(outside, "params.total", 99_000.0)
    linked(outside, student(root))


def linked_file_with_other_content(root: Path) -> None:
    outside = root.parent / "results.json"
    (student(root) / "results.json").rename(outside)
    outside.write_bytes(outside.read_bytes().replace(b"0.", b"1.", 1))
    linked(outside, student(root) / "results.json")


def linked_file_changed_afterwards(root: Path) -> None:
    """The link is looked at while its content is right; then what it leads to changes."""
    outside = root.parent / "results.json"
    (student(root) / "results.json").rename(outside)
    linked(outside, student(root) / "results.json")
    call(root, "runs", "list")
    outside.write_bytes(outside.read_bytes().replace(b"0.", b"1.", 1))


def linked_weights(root: Path) -> None:
    path = student(root) / "checkpoints" / "best.safetensors"
    path.unlink()
    linked(root / "runs" / "v1" / "001" / "checkpoints" / "best.safetensors", path)


def deleted(root: Path) -> None:
    shutil.rmtree(student(root))


def deleted_experiment(root: Path) -> None:
    shutil.rmtree(root / "runs" / "v2")


def number_given_again(root: Path) -> str | None:
    """Delete v2@1 and make a new run: it has to be v2@2."""
    shutil.rmtree(student(root))
    call(root, "run", "v2", "--stage", "evaluate", "--no-sync", *weights(root))
    return "v2@1 was given twice" if student(root).exists() else None


def latest_number_given_again(root: Path) -> str | None:
    """Make v2@2, delete it, and make another: it has to be v2@3."""
    words = ("run", "v2", "--stage", "evaluate", "--new", "--no-sync", *weights(root))
    call(root, *words)
    shutil.rmtree(root / "runs" / "v2" / "002", ignore_errors=True)
    call(root, *words)
    return "v2@2 was given twice" if (root / "runs" / "v2" / "002").exists() else None


def weights(root: Path) -> tuple[str, str]:
    path = root / "runs" / "v1" / "001" / "checkpoints" / "best.safetensors"
    return "--set", f"model.weights={path.as_posix()}"


def edited_result(folder: Path, name: str, value: float) -> None:
    """Give metric NAME of the record in FOLDER another VALUE."""
    path = folder / "results.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for metric in content["metrics"]:
        if metric["name"] == name:
            metric["value"] = value
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


PLACES = (
    Attack("place: a record renamed to another version", renamed),
    Attack("place: a record copied to a new version", copied_to_version, (VERIFY,)),
    Attack("place: v2 copied to v2-ultra", copied_to_experiment, OWN, ULTRA, "ultra-small"),
    Attack("place: v2 moved to v2-ultra", moved_to_experiment, OWN, ULTRA, "ultra-small"),
    Attack("place: the experiment renamed", renamed_experiment, OWN, ULTRA, "ultra-small"),
    Attack("place: v1 and v2 swapped", swapped),
    Attack("place: v1 copied over v2", teacher_as_student),
    Attack("place: v2-ultra a link to v2", linked_to_experiment, OWN, ULTRA, "ultra-small"),
    Attack("place: a link to an edited record", linked_folder_with_other_content),
    Attack("place: a file linked to another", linked_file_with_other_content),
    Attack("place: a linked file changed later", linked_file_changed_afterwards),
    Attack("place: weights linked to those of v1", linked_weights),
    Attack("place: the record deleted", deleted, (COMPARE, "milestone", NUMBERS, SYNC)),
    Attack("place: the experiment deleted", deleted_experiment, (COMPARE, "milestone", NUMBERS)),
    Attack("place: a deleted number given again", number_given_again, ()),
    Attack("place: the latest number given again", latest_number_given_again, ()),
)
