"""Checks of a run's data: are pictures missing, what is the set called, are the splits apart?"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from experiments.records.cache import cached_result
from experiments.records.seal import read_seal
from experiments.running import inputs
from featherface.data.annotation import MISSING
from featherface.data.fingerprint import file_sha256, fingerprint
from featherface.data_quality.near_duplicates import find_pairs
from featherface.errors import DataError, UsageError
from featherface.evaluation.known_sets import is_widerface_val

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from experiments.recipe.model import Recipe
    from experiments.records.record import Parent
    from experiments.records.run import Run
    from experiments.running.stage_context import StageContext
    from featherface.data.widerface import Split
    from featherface.evaluation.ground_truth import GroundTruth

OVERLAP = "overlap"
"""Key of a train split's entry in data.json: pictures of the validation split among its own."""
NEAR = "near_duplicates"
"""Key of the same: pairs of pictures of the two splits that look alike."""
SHOWN = 3
"""Names that a sentence lists."""


def missing_pictures(split: Split, allowed: float) -> str:
    """Return what to warn of where pictures of SPLIT, as its annotation lists them, are missing.

    Raises:
        DataError: their share is above ALLOWED.
    """
    missing = split.annotations.skipped[MISSING]
    if not missing:
        return ""
    there = split.whole or len(split.images)
    share = missing / (missing + there)
    text = (
        f"{missing:,} of {missing + there:,} pictures of split {split.name!r} are missing in"
        f" {split.images_folder.parent.name}/{split.images_folder.name}"
    )
    if share > allowed:
        allow = f"--set data.allow_missing={math.ceil(100 * share) / 100:g}"
        raise DataError(
            f"{text}: an archive that was not unpacked to its end?",
            "unpack it again; thesis data verify tells what is there; to go on with the other"
            f" {there:,}: {allow}",
        )
    return f"{text}; the numbers are of the other {there:,}"


def dataset_name(recipe: Recipe, folder: Path, truth: GroundTruth) -> str:
    """Return what the set is called whose TRUTH is evaluated, below FOLDER.

    `synthetic` where the tool drew it, `widerface` where all is of its official annotation, else
    the recipe's `data.name`, the name under [data], or the folder's own.
    """
    if inputs.is_synthetic(folder):
        return inputs.SYNTHETIC
    if is_widerface_val(truth):
        return "widerface"
    return own_name(recipe, folder)


def own_name(recipe: Recipe, folder: Path) -> str:
    """Return the name of a set that is not known; never that of a known one."""
    folder_name = folder.stem if folder.is_file() else folder.name
    root = recipe.data.root
    name = recipe.data.name or (folder_name if "/" in root or "\\" in root else root)
    return f"own {name}" if name.casefold() in ("widerface", inputs.SYNTHETIC) else name


def keep_apart(context: StageContext, train: Split, val: Split) -> list[str]:
    """Look for pictures of VAL in TRAIN; write into data.json and return what to warn of.

    Equal pictures are found by their content. Pictures that only look alike are looked for once
    for each pair of splits and kept; of drawn sets no two pictures share a scene.

    Raises:
        UsageError: the splits share pictures, and `data.allow_overlap` is not set.
    """
    cache = context.workspace.state / "cache" / "apart"
    about = [fingerprint(split)["files_sha256"] for split in (train, val)]
    equal = shared(train, val)
    warnings = []
    if equal:
        text = f"{len(equal):,} of {len(val.images):,} pictures of {val.name!r} are trained on"
        if not context.recipe.data.allow_overlap:
            raise UsageError(
                f"{text} ({_some(equal)}): its AP would say nothing of other pictures",
                "give splits that are apart (data.train_split, data.val_split); to train all the"
                " same, without evidence for any claim: --set data.allow_overlap=true",
            )
        warnings.append(f"{text}: what is measured on them is no evidence for a claim")
    pairs: list[list[str]] = []
    if train.kind != inputs.SYNTHETIC and not equal:
        pairs = cached_result(cache, about, partial(_alike, train, val, context))
    if pairs:
        names = [f"{first} and {second}" for first, second in pairs]
        warnings.append(
            f"{len(pairs):,} pictures of {train.name!r} look like one of {val.name!r}"
            f" ({_some(names)}): AP may be too good; see: thesis data verify --leakage"
        )
    context.add_data(train.name, {OVERLAP: len(equal), NEAR: len(pairs)})
    return warnings


def shared(train: Split, val: Split) -> list[str]:
    """Return the pictures of VAL whose content is among those of TRAIN.

    Only pictures of equal size in bytes are read.
    """
    sizes, wanted = _by_size(train), _by_size(val)
    known = {file_sha256(path) for size in wanted if size in sizes for path in sizes[size]}
    candidates = [image.path for image in val.images if val.path(image).stat().st_size in sizes]
    return [name for name in candidates if file_sha256(val.images_folder / name) in known]


def _by_size(split: Split) -> dict[int, list[Path]]:
    sizes: dict[int, list[Path]] = {}
    for image in split.images:
        sizes.setdefault(split.path(image).stat().st_size, []).append(split.path(image))
    return sizes


def _alike(train: Split, val: Split, context: StageContext) -> list[list[str]]:
    """Return the pairs that look alike, as plain values for the cache."""
    pairs = find_pairs(train, val, context.on_progress)
    return [[pair.first, pair.second] for pair in pairs]


def trained_on_val(context: StageContext, parents: Sequence[Parent]) -> bool:
    """Whether the weights that are evaluated were trained on pictures of the split, as records say.

    Weights are followed to the run that trained them by its name among PARENTS, or by their digest;
    of a file that no record here holds, nothing is known.
    """
    recipe, known = context.recipe.data, context.data
    if known.get(recipe.train_split, {}).get(OVERLAP):
        return True
    files = known.get(recipe.val_split, {}).get("files_sha256")
    weights = [parent for parent in (*context.parents, *parents) if parent.role == "weights"]
    for run in [run for parent in weights for run in _trainers(context, parent)]:
        entries = run.data.values()
        if any(entry.get(OVERLAP) for entry in entries):
            return any(entry.get("files_sha256") == files for entry in entries)
    return False


def _trainers(context: StageContext, parent: Parent) -> list[Run]:
    """Return the runs whose record holds the weights of PARENT."""
    if parent.run:
        return [context.store.find(parent.run)]
    sealed = (run for run in context.store.runs() if run.sealed)
    return [run for run in sealed if _holds(run, parent.sha256)]


def _holds(run: Run, digest: str) -> bool:
    return any(str(file["sha256"]) == digest for file in read_seal(run.folder).files.values())


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else ""
    return f"{', '.join(listed[:SHOWN])}{more}"
