"""What `eval errors` and `eval gallery` are about: a run, or the detections of any detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.completion import complete_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.inspection.detection_review import DetectionReview
    from thesis_cli.session import Session

Command = Any


def subject_options(command: Command) -> Command:
    """Add RUN, or --predictions, --ground-truth and --images, and the subset."""
    options: list[Callable[[Command], Command]] = [
        click.option(
            "--subset",
            type=click.Choice(["easy", "medium", "hard"]),
            default="hard",
            show_default=True,
            help="Whose faces count.",
        ),
        click.option(
            "--images", type=click.Path(path_type=Path), help="Folder EVENT/*.jpg of pictures."
        ),
        click.option(
            "--ground-truth",
            type=click.Path(path_type=Path),
            help="Folder with the four official .mat lists, or with wider_face_val_bbx_gt.txt.",
        ),
        click.option(
            "--predictions",
            type=click.Path(path_type=Path),
            help="Folder (or .tar.gz) of detections in the official text format, instead of RUN.",
        ),
        click.argument("run", required=False, shell_complete=complete_run),
    ]
    for option in options:
        command = option(command)
    return command


def open_subject(
    session: Session,
    run: str | None,
    predictions: Path | None,
    ground_truth: Path | None,
    images: Path | None,
) -> DetectionReview:
    """Judge what was named; tell what is odd about it."""
    from experiments.inspection import detection_review

    given = [option is not None for option in (predictions, ground_truth)]
    if run is not None and (any(given) or images is not None):
        raise click.UsageError("a run knows its predictions and data: give no folders with it")
    if run is None and not all(given):
        raise click.UsageError("give a RUN, or --predictions DIR and --ground-truth DIR")
    if run is not None:
        from experiments.records.store import Store

        store = Store(session.workspace)
        case = detection_review.of_run(session.workspace, store, store.find(run))
    else:
        assert predictions is not None  # noqa: S101 - checked above, as is the other
        assert ground_truth is not None  # noqa: S101
        case = detection_review.of_files(predictions, ground_truth, images)
    for warning in case.warnings:
        session.warn(warning)
    return case
