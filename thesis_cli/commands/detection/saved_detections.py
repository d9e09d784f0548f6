"""`--save PATH --format F`: the detections in a file or folder that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.errors import UsageError
from featherface.evaluation.config import EvaluateConfig
from thesis_cli.commands.detection.option_groups import option_group
from thesis_cli.output import envelope, plain
from thesis_cli.saving import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featherface.inference.detection_files import DetectedPicture
    from thesis_cli.session import Session


class SavedFormat(NamedTuple):
    """How detections are written."""

    about: str
    endings: tuple[str, ...]
    """By which a PATH without --format tells that it is this; () for a folder."""
    whole: bool
    """Whether AP may be computed from it, so that weak detections belong into it too."""


SAVED_FORMATS = {
    "json": SavedFormat("what --json prints", (".json",), whole=False),
    "jsonl": SavedFormat(
        "a line of JSON for each picture or frame, as they come", (".jsonl", ".ndjson"), whole=False
    ),
    "coco": SavedFormat("COCO's images, categories, and the faces as annotations", (), whole=False),
    "coco-results": SavedFormat("the list that COCO's evaluation loads", (), whole=True),
    "wider": SavedFormat(
        "a folder of EVENT/NAME.txt, as WIDER FACE's evaluation reads", (), whole=True
    ),
}
"""Every value of --format; frames of a video are written as `jsonl`."""


class SavingOptions(NamedTuple):
    """What the options say of the detections' file."""

    save: Path | None = None
    save_format: str | None = None
    ids_from: Path | None = None


saving_options = option_group(
    "saving",
    SavingOptions,
    click.option(
        "--save",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Write the detections to this file, or folder of --format wider.",
    ),
    click.option(
        "--format",
        "save_format",
        type=click.Choice(list(SAVED_FORMATS)),
        help="How --save writes; default: by its ending, .json or .jsonl.",
    ),
    click.option(
        "--ids-from",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Take COCO's numbers of the pictures from this annotation.",
    ),
)


class SavedDetections(NamedTuple):
    """Where --save writes, and how."""

    path: Path
    format: str
    ids_from: Path | None = None

    def prepare(self, session: Session, paths: Sequence[Path], score: float) -> None:
        """Refuse, before any work, what can't be written; tell what the score leaves out."""
        from featherface.inference import detection_files

        if self.format == "wider":
            if self.path.is_file():
                raise UsageError(f"--save {self.path} is a file; wider writes a folder")
            detection_files.check_wider_folder(self.path, detection_files.wider_names(paths))
        else:
            check_file(session, self.path)
        if self.ids_from is not None:
            detection_files.numbers_of(self.ids_from, paths)
        lowest = EvaluateConfig.score_threshold
        if SAVED_FORMATS[self.format].whole and score > lowest:
            session.warn(
                f"faces with scores up to {score:g} are left out of {self.path}, which makes an AP"
                f" lower than the network's; to evaluate, write them too: --score {lowest:g}"
            )

    def write(
        self,
        session: Session,
        pictures: Sequence[DetectedPicture],
        answers: list[dict[str, Any]],
    ) -> None:
        """Write what was found in PICTURES, whole or not at all."""
        from featherface.filesystem.atomic import write_atomic
        from featherface.inference import detection_files

        if self.format == "json":
            write_atomic(self.path, envelope("detect", answers, session.warnings) + "\n")
        elif self.format == "jsonl":
            write_atomic(self.path, "".join(json_line(each) for each in answers))
        elif self.format == "wider":
            detection_files.write_wider(self.path, pictures)
        else:
            paths = [picture.path for picture in pictures]
            known = (
                detection_files.numbers_of(self.ids_from, paths)
                if self.ids_from
                else detection_files.numbered(paths)
            )
            if self.format == "coco":
                detection_files.write_coco(self.path, pictures, known)
            else:
                detection_files.write_coco_results(self.path, pictures, known)


def settled(options: SavingOptions, *, video: bool) -> SavedDetections | None:
    """Find out what --save, --format and --ids-from mean together.

    Raises:
        UsageError: they don't belong together.
    """
    save, chosen, ids_from = options
    if save is None:
        if given := "--format" if chosen else "--ids-from" if ids_from else "":
            raise UsageError(f"{given} says how --save writes", "add --save PATH")
        return None
    name = chosen or ("jsonl" if video else _by_ending(save))
    if video and name != "jsonl":
        raise UsageError(
            f"the frames of a video are not written as {name}", "leave --format out: it is jsonl"
        )
    if ids_from is not None and not name.startswith("coco"):
        raise UsageError(
            f"--ids-from gives COCO's numbers, and {name} has none",
            "add --format coco-results, or leave --ids-from out",
        )
    return SavedDetections(save, name, ids_from)


def _by_ending(save: Path) -> str:
    fitting = (name for name, each in SAVED_FORMATS.items() if save.suffix.lower() in each.endings)
    name = next(fitting, None)
    if name is None:
        raise UsageError(
            f"--save {save}: the name doesn't tell the format",
            f"add --format {'|'.join(SAVED_FORMATS)}",
        )
    return name


def check_file(session: Session, file: Path) -> None:
    """Refuse, before any work, a FILE that must not or can't be written."""
    if file.is_dir():
        raise UsageError(f"--save {file} is a folder", f"name a file in it: {file / 'faces.json'}")
    check(file, session.root, "--save")


def json_line(entry: dict[str, Any]) -> str:
    """Write one picture or frame as a line of JSON."""
    import json

    return json.dumps(plain(entry), ensure_ascii=False, allow_nan=False) + "\n"
