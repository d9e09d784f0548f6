"""`thesis detect`: the faces in pictures, as numbers and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.errors import DataError
from featherface.evaluation.config import EvaluateConfig
from thesis_cli.commands.detection.answers import faces
from thesis_cli.commands.detection.blur_options import BlurOptions, blur_options
from thesis_cli.commands.detection.copies import BLURRED, DRAWN, PictureCopies, copy_targets
from thesis_cli.commands.detection.saved_detections import (
    SavedDetections,
    SavingOptions,
    saving_options,
    settled,
)
from thesis_cli.commands.detection.video_options import VideoOptions, video_options
from thesis_cli.commands.detection.videos import VideoWork, video_view
from thesis_cli.errors import ENVIRONMENT
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import Network, load
from thesis_cli.networks.options import (
    Chosen,
    max_megapixels_option,
    network_options,
    protocol_option,
)
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featherface.inference.detection_files import DetectedPicture
    from thesis_cli.commands.detection.videos import Find
    from thesis_cli.session import Session

MANY = 1000
"""Frames of a video, which nobody has counted: so many that measuring engines pays."""


@click.command(cls=Command)
@click.argument("images", nargs=-1, type=click.Path(path_type=Path))
@network_options
@click.option("--output", type=click.Path(path_type=Path), help="Draw the faces; write here.")
@click.option(
    "--score",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.5,
    show_default=True,
    help="Lowest score.",
)
@protocol_option
@max_megapixels_option
@saving_options
@blur_options
@video_options
@json_option
@click.pass_context
@pass_session
def detect(  # noqa: PLR0913 - one parameter per option
    session: Session,
    context: click.Context,
    *,
    images: tuple[Path, ...],
    chosen: Chosen,
    output: Path | None,
    score: float,
    protocol: str,
    max_megapixels: float,
    saving: SavingOptions,
    blur: BlurOptions,
    video: VideoOptions,
    as_json: bool,
) -> None:
    """Find the faces in pictures, in videos, or before a camera.

    Boxes are x1 y1 x2 y2 in pixels; landmarks are eyes, nose and mouth corners. A folder stands
    for the pictures in it. A damaged picture, or one too large for the memory, is told and the
    others go on; the exit code is 4 then.
    """
    del as_json
    if chosen.run is None and chosen.weights is None:
        raise click.UsageError(
            "--variant V and --weights FILE, or --run SELECTOR, say which network looks"
        )
    blur.check(output, score)
    settings = EvaluateConfig(
        protocol=protocol, score_threshold=score, max_megapixels=max_megapixels
    )
    looked_at = look_at_videos if video.means_video(images) else look_at_pictures
    failed = looked_at(session, images, Task(chosen, settings, output, saving, blur, video))
    if failed:
        context.exit(ENVIRONMENT)


class Task(NamedTuple):
    """What the options ask for."""

    chosen: Chosen
    settings: EvaluateConfig
    output: Path | None
    saving: SavingOptions
    blur: BlurOptions
    video: VideoOptions

    def saved(
        self, session: Session, paths: Sequence[Path], *, video: bool
    ) -> SavedDetections | None:
        """Return where the detections of PATHS go, once it is sure that they can."""
        saved = settled(self.saving, video=video)
        if saved is not None:
            saved.prepare(session, paths, self.settings.score_threshold)
        return saved

    def find(self, session: Session, pictures: int) -> Find:
        """Load the network for some PICTURES; return what finds faces from the lowest score on."""
        score = self.blur.lowest(self.settings.score_threshold)
        network = load(session, self.chosen, pictures=pictures)
        return finder(network, replace(self.settings, score_threshold=score))


def look_at_videos(session: Session, paths: tuple[Path, ...], task: Task) -> int:
    """Look at videos or a camera; return how many were damaged."""
    from featherface.video.library import pyav

    pyav()  # tells how to install it before the network is read
    saved = task.saved(session, paths, video=True)
    find = task.find(session, MANY)
    work = VideoWork(session, find, task.settings, task.video, task.blur, task.output, saved)
    answers, failed = work.look_at_all(paths)
    emit(session, "detect", answers, video_view)
    return failed


def look_at_pictures(session: Session, images: tuple[Path, ...], task: Task) -> int:
    """Look at pictures; return how many could not be read."""
    from featherface.data.images import TooLargeError

    paths = expand(images)
    mark = BLURRED if task.blur.blur else DRAWN
    copies = PictureCopies(copy_targets(paths, task.output, mark), task.blur)
    saved = task.saved(session, paths, video=False)
    find = task.find(session, len(paths))
    pictures, answers, failed = [], [], 0
    for path in paths:
        try:
            picture, written = look(session, find, path, task.settings, copies)
            pictures.append(picture)
            answers.append(entry(picture, written, task.blur))
        except TooLargeError as error:
            failed += 1
            session.warn(f"{error.message}; {error.hint}")
        except DataError as error:
            failed += 1
            session.warn(error.message)
    if failed == len(paths):
        raise DataError(f"none of the {len(paths)} pictures could be read")
    for suspicion in suspicious(answers):
        session.warn(suspicion)
    if saved is not None:
        saved.write(session, pictures, answers)
        session.note(f"wrote {saved.path}")
    emit(session, "detect", answers, view)
    return failed


def suspicious(answers: list[dict[str, Any]]) -> list[str]:
    """Say what no picture explains about the boxes found."""
    import numpy as np

    from featherface.evaluation.suspicion import suspicions_of_pictures

    boxes = [np.reshape([face["box"] for face in each["faces"]], (-1, 4)) for each in answers]
    return suspicions_of_pictures(boxes, [(each["width"], each["height"]) for each in answers])


def expand(images: tuple[Path, ...]) -> list[Path]:
    """Replace each folder by the pictures in it."""
    from featherface.data.images import list_images

    paths: list[Path] = []
    for path in images:
        inside = list(list_images(path)) if path.is_dir() else [path]
        if not inside:
            raise DataError(f"no pictures in {path}")
        paths += inside
    return paths


def finder(network: Network, settings: EvaluateConfig) -> Find:
    """Return what finds the faces in a picture (H, W, 3), blue-green-red."""
    from featherface.inference.detect import detect as find

    return lambda image: find(network.engine, network.config, image, settings)


def look(
    session: Session,
    find: Find,
    path: Path,
    settings: EvaluateConfig,
    copies: PictureCopies,
) -> tuple[DetectedPicture, Path | None]:
    """Find the faces of one picture, and write its copy; return where that lies."""
    from featherface.inference.detection_files import DetectedPicture
    from featherface.inference.picture_limits import read_within

    image = read_within(path, settings)
    found = find(image)
    told = found.over(settings.score_threshold)
    written = copies.write(session, path, image, told, found)
    return DetectedPicture(path, image.shape[1], image.shape[0], told), written


def entry(picture: DetectedPicture, written: Path | None, blur: BlurOptions) -> dict[str, Any]:
    """Describe one picture in the answer."""
    return {
        "image": picture.path,
        "width": picture.width,
        "height": picture.height,
        "faces": faces(picture.detections),
        "drawing": None if blur.blur else written,
        "blurred": written if blur.blur else None,
    }


def view(data: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the pictures."""
    rows = [
        [
            str(each["image"]),
            f"{len(each['faces'])}",
            ", ".join(quantity(face["score"], "", ".2f") for face in each["faces"][:5]),
            str(each["drawing"] or each["blurred"] or ""),
        ]
        for each in data
    ]
    return [Grid(["~picture", ">faces", "best scores", "~copy"], rows)]
