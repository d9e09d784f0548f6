"""The embedded synthetic set, written in WIDER FACE's layout.

Drawn, not photographed: its numbers say whether a pipeline works, nothing about WIDER FACE.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.formats.writing import write_retinaface, write_widerface
from featherface.data.matlab import matlab_lists, write_matlab
from featherface.data.synthetic.composition import EVENTS, draw_picture
from featherface.data.widerface import MARKER
from featherface.errors import UsageError
from featherface.filesystem.atomic import LEFT, beside, move
from featherface.filesystem.os_errors import unavailable
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from featherface.data.annotation import ImageAnnotation
    from featherface.data.config import SyntheticConfig
    from featherface.progress import OnProgress

DRAWING = 1
"""Raised whenever the same configuration would give other pictures."""
EASY_HEIGHT, MEDIUM_HEIGHT = 32, 20
"""Pixels. Easy: at least so high, sharp, uncovered, in normal light. Medium: at least so high,
not heavily blurred or covered. Hard: every face. As in WIDER FACE, each holds the one before."""
JPEG_QUALITY = 92


def draw(root: Path, config: SyntheticConfig, on_progress: OnProgress = silent) -> bool:
    """Draw the set that CONFIG describes into ROOT; return False where it is there already.

    A set drawn from another configuration is replaced. ROOT appears whole or not at all. Where
    another program holds what was drawn, it is kept for the next call, which only moves it.

    Raises:
        UsageError: ROOT holds something else, which is left alone.
        HeldError: another program holds what was drawn, or what it replaces.
        UnavailableError: the disk is full or ROOT not writable.
    """
    if marker(root) == _marker(config):
        return False
    if root.exists() and marker(root) is None and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{root} holds something else", "choose a new folder for the drawn set")
    fresh = _drawn_before(root, config)
    try:
        if fresh is None:
            fresh = beside(root)
            fresh.mkdir(parents=True)
            _draw_all(fresh, config, on_progress)
        _replace(fresh, root)
    except OSError as error:
        if marker(root) == _marker(config):  # another process was faster
            return False
        raise unavailable(error, root, verb="draw the synthetic set into") from error
    finally:
        if fresh is not None and marker(fresh) != _marker(config):
            shutil.rmtree(fresh, ignore_errors=True)
    return True


def marker(root: Path) -> dict[str, Any] | None:
    """Return what the set in ROOT was drawn from; None where there is no such set."""
    try:
        content = json.loads((root / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def subsets(image: ImageAnnotation) -> dict[str, list[int]]:
    """Return the indices of the faces that count as easy, medium and hard."""
    height = image.boxes[:, 3] - image.boxes[:, 1]
    blur, _, illumination, _, occlusion, _ = image.attributes.T
    medium = (height >= MEDIUM_HEIGHT) & (blur < 2) & (occlusion < 2)
    clear = (blur == 0) & (occlusion == 0) & (illumination == 0)
    easy = medium & (height >= EASY_HEIGHT) & clear
    kept = {"easy": easy, "medium": medium, "hard": np.ones(len(height), dtype=np.bool_)}
    return {name: np.flatnonzero(faces).tolist() for name, faces in kept.items()}


def _marker(config: SyntheticConfig) -> dict[str, Any]:
    return {"schema": "thesis/synthetic/1", "drawing": DRAWING, "config": asdict(config)}


def _drawn_before(root: Path, config: SyntheticConfig) -> Path | None:
    """Return the set of CONFIG that could not be given the name ROOT, where there is one."""
    left = root.parent.glob(f".{root.name}.*{LEFT}") if root.parent.is_dir() else ()
    return next((folder for folder in left if marker(folder) == _marker(config)), None)


def _replace(fresh: Path, root: Path) -> None:
    """Put FRESH in the place of ROOT; where that fails, both are as they were."""
    old = fresh.with_suffix(".old")
    replaced = root.exists()
    if replaced:
        move(root, old)
    try:
        move(fresh, root)
    except BaseException:
        if replaced:
            move(old, root)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _draw_all(root: Path, config: SyntheticConfig, on_progress: OnProgress) -> None:
    counts = {"train": config.train_images, "val": config.val_images}
    total, done = sum(counts.values()), 0
    for part, (split, count) in enumerate(counts.items()):
        images = []
        for index in range(count):
            images.append(_draw_one(root / f"WIDER_{split}" / "images", config, part, index))
            done += 1
            on_progress(Progress("draw", done, total))
        images.sort(key=lambda image: image.path)
        write_widerface(root / "wider_face_split" / f"wider_face_{split}_bbx_gt.txt", images)
        write_retinaface(root / split / "label.txt", images)
        if split == "val":
            _write_ground_truth(root / "ground_truth", images)
    content = json.dumps(_marker(config), indent=2) + "\n"
    (root / MARKER).write_text(content, encoding="utf-8", newline="\n")


def _draw_one(folder: Path, config: SyntheticConfig, part: int, index: int) -> ImageAnnotation:
    """Draw picture INDEX; it depends on the seed, the split and the index alone."""
    event = EVENTS[index % len(EVENTS)]
    name = f"{event.name}/{event.name.replace('--', '_')}_{index // len(EVENTS)}.jpg"
    rng = np.random.default_rng([config.seed, part, index])
    picture, annotation = draw_picture(rng, config, event, name)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=JPEG_QUALITY)
    return annotation


def _write_ground_truth(folder: Path, images: Sequence[ImageAnnotation]) -> None:
    """Write the four files that the official evaluation reads."""
    folder.mkdir(parents=True, exist_ok=True)
    write_matlab(folder / "wider_face_val.mat", matlab_lists(images))
    kept = [subsets(image) for image in images]
    for name in ("easy", "medium", "hard"):
        lists = matlab_lists(images, [faces[name] for faces in kept])
        write_matlab(folder / f"wider_{name}_val.mat", lists)
