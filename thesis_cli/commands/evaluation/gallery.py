"""`thesis eval gallery`: the worst misses and false alarms, to be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.evaluation.subject import open_subject, subject_options
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.language import TERMINAL
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from experiments.inspection.detection_review import DetectionReview
    from thesis_cli.session import Session


@click.command(cls=Command)
@subject_options
@click.option(
    "--score",
    type=click.FloatRange(0, 1),
    help="Score from which a detection counts. Default: the recipe's, else 0.5.",
)
@click.option("--misses", type=click.IntRange(0, 200), default=24, show_default=True)
@click.option("--false-alarms", type=click.IntRange(0, 200), default=24, show_default=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The page to write. Default: galleries/RUN.html in the workspace.",
)
@click.option("--to", type=click.Choice(["vault"]), help="Write a note in the vault instead.")
@click.option(
    "--language", type=click.Choice(["en", "fr"]), help="Of the page. Default: the workspace's."
)
@json_option
@pass_session
def gallery(  # noqa: PLR0913 - one parameter per option
    session: Session,
    *,
    run: str | None,
    predictions: Path | None,
    ground_truth: Path | None,
    images: Path | None,
    subset: str,
    score: float | None,
    misses: int,
    false_alarms: int,
    output: Path | None,
    to: str | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Show the largest faces that RUN missed and its surest false alarms.

    A page of HTML that holds its pictures itself, with recall by kind of face and how far scores
    can be believed; or, with --to vault, a note that later syncs keep true. Of any detector with
    --predictions, --ground-truth, --images and --output.
    """
    del as_json
    from experiments.inspection.error_gallery import gather

    if to and run is None:
        raise click.UsageError("--to vault needs a RUN")
    if run is None and (output is None or images is None):
        raise click.UsageError("--predictions needs --images DIR and --output FILE.html too")
    case = open_subject(session, run, predictions, ground_truth, images)
    at = case.evaluate.decision if score is None else score
    failures = gather(case, score=at, subset=subset, misses=misses, false_alarms=false_alarms)
    note = page = None
    if to and run is not None:
        marked = {"subset": subset, "misses": str(misses), "false": str(false_alarms)}
        usual = {"subset": "hard", "misses": "24", "false": "24"}
        marked = {key: value for key, value in marked.items() if value != usual[key]}
        marked |= {} if score is None else {"score": f"{score:g}"}
        note = write_note(session, case.name, marked)
    if output is not None or not to:
        page = output or session.workspace.root / "galleries" / f"{case.name}.html"
        write_page(session, case, failures, page, language)
    keys = ("images", "complete", "subset", "score", "faces", "missed", "proposals", "false")
    answer = {"of": case.name, **{key: failures[key] for key in keys}, "page": page, "note": note}
    answer |= {"misses": failures["misses"], "false_alarms": failures["false_alarms"]}
    emit(session, "eval-gallery", answer, view)


def write_note(session: Session, name: str, chosen: dict[str, str]) -> str:
    """Write the note of the run called NAME, and tell where one was there before."""
    from experiments.records.store import Store
    from vault_sync.commands import gallery_note

    workspace = session.workspace
    made = gallery_note.write_note(workspace, Store(workspace).find(name), chosen)
    if not made.written:
        session.note(f"{made.note} was there already; its marker says what it shows")
    for reason in made.reasons:
        session.warn(reason)
    return made.note


def write_page(
    session: Session,
    case: DetectionReview,
    failures: dict[str, Any],
    page: Path,
    language: str | None,
) -> None:
    """Write the page of HTML."""
    from experiments.inspection.error_counts import count_errors
    from featherface.filesystem.atomic import write_atomic
    from vault_sync.commands.gallery_note import BY, make_page

    if language is None:
        language = session.document_language if case.metric else TERMINAL
    counts = count_errors(case, (failures["score"],), failures["subset"], BY)
    write_atomic(page, make_page(case, failures, counts, language))


def view(data: dict[str, Any]) -> list[Block]:
    """Tell where the gallery is and how much it leaves out."""
    part = "" if data["complete"] else ", not a WIDER FACE result"
    facts = {
        "of": data["of"],
        "pictures": f"{data['images']:,}{part}",
        "missed": f"{data['missed']:,} of {data['faces']:,} faces, {len(data['misses'])} shown",
        "false alarms": f"{data['false']:,} of {data['proposals']:,} detections,"
        f" {len(data['false_alarms'])} shown",
    }
    facts |= {key: str(data[key]) for key in ("page", "note") if data[key]}
    return [Grid([], [], facts=facts)]
