"""The error gallery of a run: its largest missed faces and most confident false alarms."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from experiments.metrics import SUBSETS
from experiments.records.cache import cached_result
from featherface.errors import RefusedError, ThesisError, unknown
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe, code
from vault_sync.rendering.page import Page, evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from experiments.inspection.detection_review import DetectionReview
    from experiments.records.run import Run
    from vault_sync.rendering.sources import Sources
    from vault_sync.rendering.words import Words

BLOCK = "gallery"
"""First word of the id of a gallery's block; the run is the second."""
DEFAULT_SUBSET, DEFAULT_COUNT = "hard", "24"
"""Subset and number of crops where the marker does not say."""


def build(page: Page) -> dict[str, object]:
    """Gather what templates/<language>/gallery.jinja shows.

    Raises:
        RefusedError: the marker names no run, or its detections can't be judged again.
    """
    runs = page.sources.select(page.selectors) if page.selectors else []
    if len(runs) != 1:
        raise RefusedError("its marker needs one run: runs=v2@1", "thesis eval gallery RUN")
    run, words = runs[0], page.words
    errors, sheets = mistakes(page, run, _asked(page))
    return {
        "summary": _summary(words, run, errors),
        "misses": _misses(page, run, errors["misses"]),
        "misses_sheet": sheets["misses"],
        "no_misses": words.say("gallery.no_misses"),
        "alarms": _alarms(page, run, errors["false_alarms"]),
        "alarms_sheet": sheets["alarms"],
        "no_alarms": words.say("gallery.no_alarms"),
        "colours": words.say("gallery.colours"),
    }


def shown_elsewhere(page: Page, run: Run) -> list[Safe]:
    """Show the sheets of RUN's gallery in another block, where the vault has such a note.

    Nothing is judged anew for it: without a gallery, or where it can't be made, nothing is shown.
    """
    places = page.snapshot.blocks.get(f"{BLOCK}.{run.id}") if page.snapshot else None
    if not places:
        return []
    marked = replace(page, attributes=places[0][1].attributes)
    try:
        _, sheets = mistakes(page, run, _asked(marked))
    except RefusedError:  # the gallery's own block says why
        return []
    shown = [sheet for sheet in sheets.values() if sheet]
    return [*shown, page.words.say("gallery.colours")] if shown else []


def mistakes(
    page: Page, run: Run, asked: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Safe]]:
    """Return what RUN gets wrong, as a marker ASKED, and its sheets: `misses` and `alarms`.

    Raises:
        RefusedError: its detections can't be judged again.
    """
    words, review = page.words, RunReview(page.sources, run)
    about = [run.id, run.seal, *(f"{key}={value}" for key, value in asked.items())]
    gather = partial(review.gather, asked)
    errors = cached_result(page.sources.cache / "galleries", about, gather, ["numpy", "scipy"])
    sheets = {}
    for part, name in (("misses", "misses"), ("false_alarms", "alarms")):
        caption = words.say(f"gallery.caption_{name}", run=run.id)
        draw = partial(pictures.mistakes, errors[part], review.look_up)
        # The seal stands for the data, whose pictures the crops are cut from.
        inputs = [run.seal, json.dumps(errors[part])]
        about_run = page.block_id in (f"{BLOCK}.{run.id}", f"run.{run.id}")
        shows = [name] if about_run else [name, run.experiment]
        sheets[name] = page.picture(f"{run.id}-{name}", caption, inputs, draw, shows)
    return errors, sheets


def why_missed(words: Words, face: Mapping[str, Any]) -> Safe:
    """Say why a face was missed."""
    values = {"overlap": words.number(face["overlap"], ".2f")}
    if face["score"] is not None:
        values["score"] = words.number(face["score"], ".3f")
    return words.say(f"gallery.{face['kind']}", **values)


def alarm_kind(words: Words, alarm: Mapping[str, Any]) -> Safe:
    """Say what a false alarm is."""
    kind = "loose_box" if alarm["kind"] == "loose" else alarm["kind"]
    return words.say(f"gallery.{kind}", overlap=words.number(alarm["overlap"], ".2f"))


def attribute_list(words: Words, face: Mapping[str, Any]) -> Safe:
    """List the unusual attributes of a missed face; empty where there are none."""
    pairs = face["attributes"].items()
    return Safe(", ".join(words.say(f"looks_like.{name}.{value}") for name, value in pairs))


def share(words: Words, part: int, whole: int) -> Safe:
    """Write PART of WHOLE as a percentage."""
    return words.number(part / whole, ".1%") if whole else words.say("none")


class RunReview:
    """A run's detections matched with the ground truth, which is done only on a cache miss."""

    def __init__(self, sources: Sources, run: Run) -> None:
        self.sources = sources
        self.run = run

    @cached_property
    def detection_review(self) -> DetectionReview:
        """The detections beside the faces; RefusedError where they can't be judged again."""
        from experiments.inspection.detection_review import of_run  # noqa: PLC0415 - numpy and scipy

        try:
            return of_run(self.sources.workspace, self.sources.store, self.run)
        except ThesisError as error:
            raise RefusedError(error.message, error.hint) from error

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        return self.detection_review.look_up()

    def look_up(self) -> Mapping[str, Path]:
        """Return the file of each picture, looked for once."""
        return self._files

    def gather(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the mistakes that the marker ASKED for.

        Raises:
            RefusedError: the detections can't be judged again.
        """
        from experiments.inspection.error_gallery import gather  # noqa: PLC0415 - as above

        score = asked["score"]
        if score is None:
            score = self.detection_review.evaluate.decision
        return gather(self.detection_review, **{**asked, "score": score})


def _asked(page: Page) -> dict[str, Any]:
    """Read what the marker says besides the run."""
    marked = page.attributes
    subset = marked.get("subset", DEFAULT_SUBSET)
    if subset not in SUBSETS:
        raise RefusedError(f"its marker: {unknown('subset', subset, SUBSETS)}", "correct it")
    try:
        score = float(marked["score"]) if "score" in marked else None
        counts = [int(marked.get(key, DEFAULT_COUNT)) for key in ("misses", "false")]
    except ValueError as error:
        raise RefusedError(f"its marker holds no number: {error}", "correct it") from error
    if min(counts) < 0:
        raise RefusedError(f"its marker asks for {min(counts)} pictures", "write 0 or more")
    return {"score": score, "subset": subset, "misses": counts[0], "false_alarms": counts[1]}


def _summary(words: Words, run: Run, errors: Mapping[str, Any]) -> Safe:
    measured = evaluation(run)
    return words.say(
        "gallery.counts",
        missed=errors["missed"],
        faces=errors["faces"],
        missed_share=share(words, errors["missed"], errors["faces"]),
        false=errors["false"],
        proposals=errors["proposals"],
        false_share=share(words, errors["false"], errors["proposals"]),
        score=words.number(errors["score"], ".2f"),
        subset=errors["subset"].title(),
        data=words.say("none") if measured is None else words.short(measured),
    )


def _misses(page: Page, run: Run, misses: list[dict[str, Any]]) -> Safe:
    words = page.words
    names = ("number", "image", "tall", "why", "known")
    headers = [words.say(f"gallery.{name}") for name in names]
    rows = [
        [
            words.number(place, "d"),
            code(face["picture"]),
            words.say("gallery.pixels", n=round(face["height"])),
            why_missed(words, face),
            attribute_list(words, face),
        ]
        for place, face in enumerate(misses, start=1)
    ]
    return page.table("misses", headers, rows, [0], run=run.id) if rows else Safe("")


def _alarms(page: Page, run: Run, alarms: list[dict[str, Any]]) -> Safe:
    words = page.words
    headers = [words.say(f"gallery.{name}") for name in ("number", "image", "surest", "what")]
    rows = [
        [
            words.number(place, "d"),
            code(alarm["picture"]),
            words.number(alarm["score"], ".3f"),
            alarm_kind(words, alarm),
        ]
        for place, alarm in enumerate(alarms, start=1)
    ]
    return page.table("alarms", headers, rows, [0, 2], run=run.id) if rows else Safe("")
