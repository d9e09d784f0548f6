"""Which notes a vault gets, what each is made of, and which blocks stand in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vault_sync.engine.disk.names import note_path, safe_name
from vault_sync.engine.text.markers import write_block
from vault_sync.engine.text.properties import write_front_matter
from vault_sync.rendering.jinja import render
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import evaluation
from vault_sync.rendering.sources import run_identity
from vault_sync.run_note_fields.exchange import fill_regions
from vault_sync.run_note_fields.table import NOTE_FIELDS, blank_properties

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.text.properties import Scalar, Value
    from vault_sync.rendering.sources import Sources
    from vault_sync.run_note_fields.table import FieldText

CHAPTERS: dict[str, tuple[tuple[str, str], ...]] = {
    "baseline": (("baseline", "baseline"),),
    "ultra-light": (("cited", "cited"),),
    "innovations": (("hypotheses", "hypotheses"),),
    "methodology": (("protocol", "protocol"),),
    "architecture": (("architecture", "architecture"),),
    "documentation": (("exports", "exports"), ("matrix", "matrix")),
    "performance": (("results", "performance"),),
    "comparison": (("comparison", "comparison"),),
    "ablation": (("ablation", "ablation"),),
    "milestones": (("milestones", "milestones"),),
    "log-template": (),
    "dashboard": (("dashboard", "dashboard"),),
}
"""Chapter -> its blocks, each an id and a template; templates/<language>/chapters has its text."""

ANONYMOUS = ("chapter/log-template",)
"""Notes that students copy: a `thesis_id` in them would be copied too."""


@dataclass(frozen=True)
class PlannedNote:
    """A note that the vault should have: its path, its blocks, and the text around them."""

    id: str
    path: str
    template: str
    """Template of the text around the blocks."""
    blocks: tuple[tuple[str, str], ...]
    properties: Mapping[str, Scalar]
    """Those that the tool keeps up to date."""
    own: Mapping[str, Value]
    """Those that are the student's from the start."""
    values: Mapping[str, Any]
    regions: Mapping[str, FieldText] = field(default_factory=dict)
    """What the student has answered already, by the region where it stands."""
    only_standing: bool = False
    """Whether it is kept true where it stands, and not made anew."""


def planned_notes(sources: Sources) -> Iterator[PlannedNote]:
    """Yield every note that the vault should have: chapters, pipeline logs, one per run."""
    workspace = sources.workspace
    for name, blocks in CHAPTERS.items():
        path = note_path(workspace.chapters[name], f"chapters.{name}")
        yield _note(f"chapter/{name}", path, f"chapters/{name}", blocks)
    for experiment in dict.fromkeys(run.experiment for run in sources.runs):
        yield _pipeline(workspace, experiment)
    for run in sources.sealed:
        if run.id not in sources.damage and run.id not in sources.unreadable:
            yield _run(workspace, run)
    for event in sources.store.removed():
        yield _removed_run(workspace, event.run)


def skeleton(planned: PlannedNote, sources: Sources) -> bytes:
    """Write a new note, its blocks still empty."""

    def block(block_id: str) -> Safe:
        template = dict(planned.blocks)[block_id]
        return Safe(write_block(block_id, template, b"", {}).decode())

    def answer(name: str) -> Safe:
        return Safe(f"<!-- thesis:answer {name} -->")

    values = {
        "block": block,
        "answer": answer,
        "title": sources.workspace.settings["title"],
        **planned.values,
        **_titled(planned, sources),
    }
    text = render(sources.words.language, planned.template, values)
    if planned.id in ANONYMOUS:
        return f"{write_front_matter(blank_properties())}\n{text}".encode()
    front = write_front_matter({"thesis_id": planned.id, **planned.properties, **planned.own})
    return fill_regions(f"{front}\n{text}".encode(), planned.regions)


def _titled(planned: PlannedNote, sources: Sources) -> dict[str, Safe]:
    """Return the title of a run in the language of the vault."""
    title = planned.values.get("run_title")
    return {"run_title": sources.words.recorded(title)} if title else {}


def _note(
    identity: str, path: str, template: str, blocks: tuple[tuple[str, str], ...], **values: Any
) -> PlannedNote:
    return PlannedNote(identity, path, template, blocks, {}, {}, values)


def pipeline_identity(experiment: str) -> str:
    """Return the `thesis_id` of an experiment's log."""
    return f"pipeline/{experiment}"


def _pipeline(workspace: Workspace, experiment: str) -> PlannedNote:
    pattern = workspace.chapters["pipeline"]
    place = pattern.replace("{experiment}", safe_name(experiment))
    if place == pattern:
        place = f"{pattern}/{safe_name(experiment)}_monitor"
    path = note_path(place, "chapters.pipeline")
    blocks = tuple((f"{name}.{experiment}", name) for name in ("pipeline", "progress"))
    return _note(
        pipeline_identity(experiment), path, "notes/pipeline", blocks, experiment=experiment
    )


def _run(workspace: Workspace, run: Run) -> PlannedNote:
    folder = workspace.chapters["runs"].strip("/")
    return PlannedNote(
        id=run_identity(run),
        path=note_path(f"{folder}/{safe_name(run.id)}", "chapters.runs"),
        template="notes/run",
        blocks=((f"run.{run.id}", "run"),),
        properties=_properties(run),
        own={
            key: note_field.indexed(run)
            for key, note_field in NOTE_FIELDS.items()
            if not note_field.region
        },
        regions={
            key: note_field.indexed(run)
            for key, note_field in NOTE_FIELDS.items()
            if note_field.region
        },
        values={"run": run.id, "run_title": run.record.title, "block_id": f"run.{run.id}"},
    )


def _removed_run(workspace: Workspace, run: str) -> PlannedNote:
    """Return the note of a run that was taken out: it stays, and says so."""
    folder = workspace.chapters["runs"].strip("/")
    return PlannedNote(
        id=f"run/{run}",
        path=note_path(f"{folder}/{safe_name(run)}", "chapters.runs"),
        template="notes/run",
        blocks=((f"run.{run}", "run"),),
        properties={"run_status": "removed"},
        own={},
        values={"run": run, "run_title": "", "block_id": f"run.{run}"},
        only_standing=True,
    )


def _properties(run: Run) -> dict[str, Scalar]:
    """Return flat properties of a run, each of one type in every note."""
    properties: dict[str, Scalar] = {
        "experiment": run.experiment,
        "version": run.version,
        "run_status": run.status,
    }
    if run.variant:
        properties["variant"] = run.variant
    measured, size = evaluation(run), run.metric("params.total")
    if measured is not None:
        properties |= {"dataset": measured.dataset, "whole_split": measured.complete}
    score = run.metric("widerface.mean_ap")
    if score is not None:
        properties["mean_ap"] = float(json.dumps(round(score.value, 6)))
    if size is not None:
        properties["parameters"] = round(size.value)
    return properties
