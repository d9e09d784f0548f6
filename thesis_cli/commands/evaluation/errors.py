"""`thesis eval errors`: what was missed and found wrongly, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.evaluation.subject import open_subject, subject_options
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from pathlib import Path

    from thesis_cli.session import Session

BY = ("height", "blur", "occlusion", "pose", "illumination", "expression", "event")
"""As `featherface.evaluation.breakdown.GROUPINGS` (a test keeps the two equal)."""
ALL = "all"


@click.command(cls=Command)
@subject_options
@click.option(
    "--score",
    "scores",
    type=click.FloatRange(0, 1),
    multiple=True,
    help="Score from which a detection counts; repeat it. Default: the recipe's, else 0.5.",
)
@click.option(
    "--by",
    type=click.Choice([*BY, ALL]),
    multiple=True,
    default=["height"],
    show_default=True,
    help="How the faces are told apart; repeat it.",
)
@json_option
@pass_session
def errors(  # noqa: PLR0913 - one parameter per option
    session: Session,
    *,
    run: str | None,
    predictions: Path | None,
    ground_truth: Path | None,
    images: Path | None,
    subset: str,
    scores: tuple[float, ...],
    by: tuple[str, ...],
    as_json: bool,
) -> None:
    """Count what RUN, or any detector, missed and found wrongly.

    Recall and precision at fixed scores; recall by height of the face, by its attributes or by
    event; how well boxes and landmarks lie; whether scores can be believed. Scores are taken as the
    detector gave them. With several --score, all but recall and precision is of the first.
    """
    del as_json
    from experiments.inspection.error_counts import count_errors

    case = open_subject(session, run, predictions, ground_truth, images)
    groups = BY if ALL in by else tuple(dict.fromkeys(by))
    data = count_errors(case, scores or (case.evaluate.decision,), subset, groups)
    emit(session, "eval-errors", data, view)


def view(data: dict[str, Any]) -> list[Block]:
    """Tabulate the counts."""
    part = "" if data["complete"] else ", not a WIDER FACE result"
    facts = {"of": data["name"], "pictures": f"{data['images']:,}{part}"}
    facts |= {"data": data["dataset"]} if data["dataset"] else {}
    facts |= {"subsets": data["ground_truth"]}
    facts |= {"protocol": data["protocol"]} if data["protocol"] else {}
    blocks: list[Block] = [_points(data["points"], facts)]
    for by, rows in data["breakdown"].items():
        blocks += ["", _breakdown(by, rows, data)]
    return [*blocks, "", _placement(data), "", _calibration(data["calibration"])]


def _points(rows: list[dict[str, Any]], facts: dict[str, str]) -> Grid:
    lines = [
        [
            f"{row['score']:g}",
            row["subset"],
            f"{row['faces']:,}" if "faces" in row else "",
            f"{row['found']:,}" if "found" in row else "",
            f"{row['proposals'] - row['found']:,}" if "found" in row else "",
            quantity(row["recall"], "fraction"),
            quantity(row["precision"], "fraction"),
        ]
        for row in rows
    ]
    columns = [">score", "subset", ">faces", ">found", ">false", ">recall", ">precision"]
    return Grid(columns, lines, facts=facts)


def _breakdown(by: str, rows: list[dict[str, Any]], data: dict[str, Any]) -> Grid:
    unit = f"{by} (pixels)" if by == "height" else by
    lines = [
        [
            row["group"],
            f"{row['faces']:,}",
            quantity(row["recall"], "fraction"),
            quantity(row["recall_any"], "fraction"),
            "" if row["false"] is None else f"{row['false']:,}",
            "" if row["ap"] is None else quantity(row["ap"], "fraction"),
        ]
        for row in rows
    ]
    at = f">recall at {data['score']:g}"
    return Grid([unit, f">{data['subset']} faces", at, ">at any score", ">false", ">AP"], lines)


def _placement(data: dict[str, Any]) -> Grid:
    """Say how boxes and landmarks lie on the faces found."""
    placement, points = data["placement"], data["landmarks"]
    facts = {"faces found": f"{placement['faces']:,}"}
    if placement["faces"]:
        facts |= {
            "IoU with them": f"mean {thousandths(placement['iou_mean'])}, "
            f"median {thousandths(placement['iou_median'])}",
            "centres apart": f"{quantity(placement['centre'], 'fraction')} of the face's size",
            "size, detected over true": f"width {thousandths(placement['width'])}, "
            f"height {thousandths(placement['height'])}",
        }
    if points["faces"]:
        error = f"{quantity(points['nme'], 'fraction')} of the face's size"
        facts["landmark error"] = f"{error}, {points['faces']:,} faces"
    else:
        facts["landmark error"] = "not measured: " + (
            "the landmarks detected were not kept"
            if points["labelled"]
            else "no face has labelled landmarks"
        )
    return Grid([], [], facts=facts)


def _calibration(data: dict[str, Any]) -> Grid:
    lines = [
        [
            f"{quantity(row['low'], '', '.1f')}-{quantity(row['high'], '', '.1f')}",
            f"{row['detections']:,}",
            thousandths(row["score"]) if row["detections"] else "",
            quantity(row["right"], "fraction") if row["detections"] else "",
        ]
        for row in data["bins"]
    ]
    error = quantity(data["error"], "fraction")
    facts = {"calibration error": error}
    return Grid(["score", ">detections", ">mean score", ">right"], lines, facts=facts)


def thousandths(value: float) -> str:
    """Word VALUE with three places."""
    return quantity(value, "", ".3f")
