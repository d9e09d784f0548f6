"""Verification of a data set: complete, readable, splits disjoint."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.annotation import MISSING, OUTSIDE
from featherface.data.fingerprint import fingerprint
from featherface.data.images import image_size, open_picture
from featherface.errors import DataError
from featherface.evaluation.ground_truth import LISTS, read_official
from featherface.evaluation.names import picture_name
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.data.widerface import Split
    from featherface.progress import OnProgress, ShouldStop

WHOLE = {"train": 12_880, "val": 3_226}
"""Pictures of WIDER FACE's splits."""
GROUND_TRUTH = ("ground_truth", "eval_tools/ground_truth", "wider_face_split", ".")
FEW = 0.001
"""Share of boxes outside their pictures that is a slip here and there; more is a fault."""
SHOWN = 5
"""Names that a finding lists."""


@dataclass(frozen=True)
class DatasetFinding:
    """One check of one split."""

    check: str
    """`complete`, `pictures`, `readable`, `boxes`, `twice`, `ground truth`."""
    ok: bool | None
    """None where it could not be checked, or is no fault."""
    text: str


@dataclass(frozen=True)
class Verified:
    """What was found out about one split."""

    split: str
    kind: str
    fingerprint: dict[str, Any]
    findings: tuple[DatasetFinding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(finding.ok is not False for finding in self.findings)


def verify_split(
    split: Split,
    *,
    deep: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Verified:
    """Check SPLIT; DEEP decodes every picture, which takes minutes for WIDER FACE."""
    findings = [_complete(split), _pictures(split), _boxes(split), _twice(split)]
    if deep:
        findings.append(_readable(split, on_progress, should_stop))
    if split.name == "val":
        findings.append(_ground_truth(split))
    return Verified(split.name, split.kind, fingerprint(split), tuple(findings))


def _complete(split: Split) -> DatasetFinding:
    count, whole = len(split.images), WHOLE.get(split.name)
    if split.kind != "widerface" or whole is None:
        return DatasetFinding(
            "complete", None, f"{count:,} pictures; how many there should be is not known"
        )
    if count == whole:
        return DatasetFinding(
            "complete", ok=True, text=f"all {whole:,} pictures of WIDER FACE's {split.name}"
        )
    return DatasetFinding(
        "complete", None, f"{count:,} of {whole:,} pictures: results are of a part, and say so"
    )


def _pictures(split: Split) -> DatasetFinding:
    missing = split.annotations.skipped[MISSING]
    if missing:
        return DatasetFinding("pictures", None, f"annotated, but not there: {missing:,}")
    return DatasetFinding("pictures", ok=True, text="every annotated picture is there")


def _boxes(split: Split) -> DatasetFinding:
    odd = {what: count for what, count in split.annotations.skipped.items() if what != MISSING}
    faces = split.annotations.faces
    text = f"{faces:,} faces"
    if odd:
        told = ", ".join(f"{what}: {count:,}" for what, count in sorted(odd.items()))
        text = f"{text}; left out: {told}"
    far = _mostly_outside(split)
    outside = len(far) + odd.get(OUTSIDE, 0)
    if far:
        text = f"{text}; mostly outside their picture: {len(far):,} ({_some(far)})"
    if outside > FEW * faces:
        text = f"{text}: were they drawn on pictures of another size, or are they corners?"
        return DatasetFinding("boxes", ok=False, text=text)
    return DatasetFinding("boxes", None if odd or far else True, text)


def _mostly_outside(split: Split) -> list[str]:
    """Name the boxes of which less than half lies in their picture, by picture and pixels."""
    far = []
    for image in split.images:
        if len(image.boxes):
            size = np.array(image_size(split.path(image)), dtype=np.float64)
            inside = np.clip(image.boxes, 0, np.tile(size, 2))
            for box in image.boxes[_areas(inside) < _areas(image.boxes) / 2]:
                left, top, right, bottom = box.tolist()
                place = f"{left:g} {top:g} {right - left:g} {bottom - top:g}"
                far.append(f"{image.path}: {place} in {size[0]:g}x{size[1]:g}")
    return far


def _areas(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    sides = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _twice(split: Split) -> DatasetFinding:
    counts = Counter(image.path for image in split.images)
    names = [name for name, count in counts.items() if count > 1]
    if names:
        return DatasetFinding("twice", ok=False, text=f"annotated more than once: {_some(names)}")
    return DatasetFinding("twice", ok=True, text="no picture is annotated twice")


def _readable(split: Split, on_progress: OnProgress, should_stop: ShouldStop) -> DatasetFinding:
    damaged, seen = [], 0
    for image in split.images:
        if should_stop():
            break
        try:
            open_picture(split.path(image))
        except DataError:
            damaged.append(image.path)
        seen += 1
        on_progress(Progress(f"read {split.name}", seen, len(split.images)))
    if damaged:
        return DatasetFinding("readable", ok=False, text=f"damaged: {_some(damaged)}")
    whole = seen == len(split.images)
    return DatasetFinding("readable", True if whole else None, f"{seen:,} pictures decoded")


def _ground_truth(split: Split) -> DatasetFinding:
    folder = find_ground_truth(split.root)
    if folder is None:
        text = f"{LISTS[0]} and its three lists are not there: subsets would be built from heights"
        return DatasetFinding("ground truth", None, text)
    try:
        truth = read_official(folder)
    except DataError as error:
        return DatasetFinding("ground truth", ok=False, text=error.message)
    names = {picture_name(image.path) for image in split.images}
    unknown = sorted(names.difference(truth.images))
    if unknown:
        return DatasetFinding("ground truth", ok=False, text=f"not in the lists: {_some(unknown)}")
    return DatasetFinding(
        "ground truth", ok=True, text=f"the official lists, {len(truth.images):,} pictures"
    )


def find_ground_truth(root: Path) -> Path | None:
    """Return the folder of the official lists below ROOT; None where there is none."""
    folders = (root / name for name in GROUND_TRUTH)
    return next((folder for folder in folders if (folder / LISTS[1]).is_file()), None)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
