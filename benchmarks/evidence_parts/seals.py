"""Records that were changed and sealed again, with the workspace's memory or without it."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evidence_parts.cases import VERIFY, Attack, Impossible
from evidence_parts.places import edited_result, student
from evidence_parts.verbs import call
from experiments.records.seal import read_seal, seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AP = "widerface.mean_ap"


def better_ap(root: Path) -> None:
    edited_result(student(root), AP, 0.956)


def fewer_parameters(root: Path) -> None:
    edited_result(student(root), "params.total", 99_000.0)


def better_matches(root: Path) -> None:
    """Drop half of the detections that matched nothing, so that precision grows."""
    path = student(root) / "matches.npz"
    with np.load(path) as file:
        content = {name: file[name] for name in file.files}
    for subset in ("easy", "medium", "hard"):
        found = np.cumsum(content[f"{subset}.hits.steps"])
        missed = ~np.isin(np.cumsum(content[f"{subset}.proposals.steps"]), found)
        missed[::2] = False
        growth = content[f"{subset}.proposals.growth"]
        content[f"{subset}.proposals.growth"] = np.where(missed, 0, growth).astype(growth.dtype)
    np.savez_compressed(path, **content)


def better_predictions(root: Path) -> None:
    """Give every detection the score 0.999."""
    for path in student(root).glob("predictions/*/*.txt"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r" 0\.\d+$", " 0.999", text, flags=re.MULTILINE), encoding="utf-8")


def weights_of_the_teacher(root: Path) -> None:
    for name in ("best.safetensors", "last.safetensors"):
        source = root / "runs" / "v1" / "001" / "checkpoints" / name
        shutil.copy2(source, student(root) / "checkpoints" / name)


def another_recipe(root: Path) -> None:
    path = student(root) / "recipe.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("epochs: 3", "epochs: 300"), encoding="utf-8", newline="\n")


def another_network(root: Path) -> None:
    for name in ("recipe.yaml",):
        path = student(root) / name
        text = path.read_text(encoding="utf-8").replace("variant: v3-nano", "variant: v2-ultra")
        path.write_text(text, encoding="utf-8", newline="\n")


def another_evidence(root: Path) -> None:
    """Call a synthetic figure one of WIDER FACE."""
    path = student(root) / "results.json"
    text = path.read_text(encoding="utf-8").replace('"synthetic"', '"widerface"')
    path.write_text(text, encoding="utf-8", newline="\n")


def another_identity(root: Path) -> None:
    """Copy v2 to v2-ultra and say so in its record."""
    folder = root / "runs" / "v2-ultra" / "001"
    shutil.copytree(student(root), folder)
    path = folder / "record.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["experiment"] = "v2-ultra"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")
    seal(folder)


def consistent_ap(root: Path) -> None:
    """Give the other subsets too what the mean AP asks for."""
    for subset in ("easy", "medium", "hard"):
        edited_result(student(root), f"widerface.{subset}.ap", 0.956)
    better_ap(root)


def resealed(change: Callable[[Path], None], root: Path) -> None:
    """Change the record, then write the seal that it would have."""
    before = read_seal(student(root)).digest
    change(root)
    if seal(student(root)).digest == before:
        raise Impossible("nothing was changed")


def forgotten(change: Callable[[Path], None], root: Path) -> None:
    """The same, and the workspace forgets all that it saw."""
    resealed(change, root)
    shutil.rmtree(root / ".thesis")


def sealed_by_resume(root: Path) -> str | None:
    """Take the seal away, change a figure, and let `--resume` seal it."""
    (student(root) / "SEAL.json").unlink()
    fewer_parameters(root)
    answer = call(root, "run", "v2", "--resume", "--no-sync")
    sealed = (student(root) / "SEAL.json").is_file()
    return "--resume sealed it again" if sealed and not answer.code else None


def sealed_by_run(root: Path) -> str | None:
    """Take the seal away, change a figure, and let a plain `run` seal it."""
    (student(root) / "SEAL.json").unlink()
    better_ap(root)
    call(root, "run", "v2", "--no-sync", "--dry-run")
    answer = call(root, "run", "v2", "--resume", "--no-sync", "--skip", "train")
    sealed = (student(root) / "SEAL.json").is_file()
    return "--resume sealed it again" if sealed and not answer.code else None


CHANGES: dict[str, Callable[[Path], None]] = {
    "the AP": better_ap,
    "all APs": consistent_ap,
    "the parameters": fewer_parameters,
    "the matches": better_matches,
    "the predictions": better_predictions,
    "the weights": weights_of_the_teacher,
    "the recipe": another_recipe,
    "the network's name": another_network,
    "the data set's name": another_evidence,
}
SEALS = (
    *(Attack(f"reseal: {what}", partial(resealed, change)) for what, change in CHANGES.items()),
    *(
        Attack(f"reseal, forgotten: {what}", partial(forgotten, change), (VERIFY,))
        for what, change in CHANGES.items()
    ),
    Attack(
        "reseal: v2 as v2-ultra, in its record too",
        another_identity,
        ("verify", "compare", "milestone"),
        ("v1", "v2-ultra"),
        "ultra-small",
    ),
    Attack("reseal: by --resume", sealed_by_resume),
    Attack("reseal: by --resume without training", sealed_by_run),
)
