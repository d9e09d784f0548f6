"""Copies of what was looked at: with the faces drawn, or with the faces covered."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from featherface.geometry.detections import Detections
    from thesis_cli.commands.detection.blur_options import BlurOptions
    from thesis_cli.session import Session

DRAWN, BLURRED = "faces", "blurred"
"""What a copy's name ends in, before its ending."""


class PictureCopies(NamedTuple):
    """Where the copy of each picture goes; nowhere without --output."""

    targets: Mapping[Path, Path]
    blur: BlurOptions

    def write(
        self,
        session: Session,
        path: Path,
        image: NDArray[np.uint8],
        told: Detections,
        found: Detections,
    ) -> Path | None:
        """Write the copy of PATH, whose pixels are IMAGE: TOLD faces drawn, or all FOUND covered.

        Nothing of the file but its pixels is copied: no EXIF, thumbnail, place or colour profile.
        """
        if (target := self.targets.get(path)) is None:
            return None
        from featherface.inference.drawing import draw, save

        if self.blur.blur is None:
            save(draw(image, told), target)
            return target
        from PIL import Image

        from featherface.inference.face_blur import blurred

        if not len(found):
            self._tell_faceless(session, path)
            if not self.blur.copies_faceless:
                return None
        covered = blurred(image, found, self.blur.blur)
        save(Image.fromarray(covered[:, :, ::-1].copy()), target)
        return target

    def _tell_faceless(self, session: Session, path: Path) -> None:
        done = (
            "its copy shows it as it is: look at it before you give it away"
            if self.blur.copies_faceless
            else "no copy was written: look at it, then lower --blur-score, or --faceless copy"
        )
        session.warn(f"nothing was found to blur in {path}; {done}")


def copy_targets(paths: Sequence[Path], output: Path | None, mark: str) -> dict[Path, Path]:
    """Choose where each copy goes: pictures of one name get a number, a long name is cut.

    Raises:
        UsageError: a copy would take the place of a picture that is looked at.
    """
    if output is None:
        return {}
    from featherface.filesystem.atomic import LONGEST, shortened
    from featherface.inference.drawing import SAVED

    taken: Counter[str] = Counter()
    targets = {}
    for path in paths:
        ending = path.suffix if path.suffix.lower() in SAVED else ".png"
        room = LONGEST - len(f"-{mark}-{len(paths)}{ending}")
        name = f"{shortened(path.stem, room)}-{mark}"
        taken[(name + ending).casefold()] += 1
        count = taken[(name + ending).casefold()]
        targets[path] = output / f"{name}{'' if count == 1 else f'-{count}'}{ending}"
    check_originals(paths, targets.values())
    return targets


def check_originals(paths: Sequence[Path], targets: Iterable[Path]) -> None:
    """Refuse TARGETS that are among the PATHS looked at, under whatever name.

    Raises:
        UsageError: writing it would destroy an original.
    """
    originals = {_identity(path) for path in paths if path.exists()}
    for target in targets:
        if target.exists() and _identity(target) in originals:
            raise UsageError(
                f"{target} is one of the files to look at, and its copy or another's would take"
                " its place",
                "choose an --output that holds none of them",
            )


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
