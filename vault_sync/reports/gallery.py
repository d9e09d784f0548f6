"""The gallery of a run: its largest missed faces and surest false alarms, to be looked at."""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from experiments.metrics import SUBSETS
from featherface.errors import RefusedError, ThesisError, unknown
from vault_sync.rendering import pictures
from vault_sync.rendering.cache import keep
from vault_sync.rendering.markdown import Safe, code, table
from vault_sync.rendering.page import Page, evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from experiments.inspection.detection_review import DetectionReview
    from experiments.records.run import Run
    from vault_sync.rendering.sources import Sources
    from vault_sync.rendering.words import Words

WIDEST, SHOWN = "hard", "24"
"""Whose faces count and how many are shown, where the marker does not say."""


def build(page: Page) -> dict[str, object]:
    """Gather what templates/<language>/gallery.jinja shows.

    Raises:
        RefusedError: the marker names no run, or its detections can't be judged again.
    """
    runs = page.sources.select(page.selectors) if page.selectors else []
    if len(runs) != 1:
        raise RefusedError("its marker needs one run: runs=v2@1", "thesis eval gallery RUN")
    run, words, review = runs[0], page.words, RunReview(page.sources, runs[0])
    asked = _asked(page)
    about = [run.id, run.seal, *(f"{key}={value}" for key, value in asked.items())]
    gather = partial(review.gather, asked)
    found = keep(page.sources.cache / "galleries", about, gather, ["numpy", "scipy"])
    sheets = {}
    for part, name in (("misses", "misses"), ("false_alarms", "alarms")):
        caption = words.say(f"gallery.caption_{name}", run=run.id)
        draw = partial(pictures.mistakes, found[part], review.look_up)
        # The seal stands for the data, whose pictures the crops are cut from.
        inputs = [run.seal, json.dumps(found[part])]
        sheets[name] = page.picture(f"{run.id}-{name}", caption, inputs, draw)
    return {
        "summary": _summary(words, run, found),
        "misses": _misses(words, found["misses"]),
        "misses_sheet": sheets["misses"],
        "no_misses": words.say("gallery.no_misses"),
        "alarms": _alarms(words, found["false_alarms"]),
        "alarms_sheet": sheets["alarms"],
        "no_alarms": words.say("gallery.no_alarms"),
        "colours": words.say("gallery.colours"),
    }


def why_missed(words: Words, one: Mapping[str, Any]) -> Safe:
    """Say why a face was missed."""
    values = {"overlap": words.number(one["overlap"], ".2f")}
    if one["score"] is not None:
        values["score"] = words.number(one["score"], ".3f")
    return words.say(f"gallery.{one['kind']}", **values)


def what_it_is(words: Words, one: Mapping[str, Any]) -> Safe:
    """Say what a false alarm is."""
    kind = "loose_box" if one["kind"] == "loose" else one["kind"]
    return words.say(f"gallery.{kind}", overlap=words.number(one["overlap"], ".2f"))


def known_of(words: Words, one: Mapping[str, Any]) -> Safe:
    """List the unusual attributes of a missed face; empty where there are none."""
    pairs = one["attributes"].items()
    return Safe(", ".join(words.say(f"looks_like.{name}.{value}") for name, value in pairs))


def share(words: Words, part: int, whole: int) -> Safe:
    """Write PART of WHOLE as a percentage."""
    return words.number(part / whole, ".1%") if whole else words.say("none")


class RunReview:
    """A run's detections, judged again only where something is not known yet."""

    def __init__(self, sources: Sources, run: Run) -> None:
        self.sources = sources
        self.run = run

    @cached_property
    def scrutiny(self) -> DetectionReview:
        """The detections beside the faces; RefusedError where they can't be judged again."""
        from experiments.inspection.detection_review import of_run  # noqa: PLC0415 - numpy and scipy

        try:
            return of_run(self.sources.workspace, self.sources.store, self.run)
        except ThesisError as error:
            raise RefusedError(error.message, error.hint) from error

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        return self.scrutiny.look_up()

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
            score = self.scrutiny.evaluate.decision
        return gather(self.scrutiny, **{**asked, "score": score})


def _asked(page: Page) -> dict[str, Any]:
    """Read what the marker says besides the run."""
    marked = page.attributes
    subset = marked.get("subset", WIDEST)
    if subset not in SUBSETS:
        raise RefusedError(f"its marker: {unknown('subset', subset, SUBSETS)}", "correct it")
    try:
        score = float(marked["score"]) if "score" in marked else None
        counts = [int(marked.get(key, SHOWN)) for key in ("misses", "false")]
    except ValueError as error:
        raise RefusedError(f"its marker holds no number: {error}", "correct it") from error
    if min(counts) < 0:
        raise RefusedError(f"its marker asks for {min(counts)} pictures", "write 0 or more")
    return {"score": score, "subset": subset, "misses": counts[0], "false_alarms": counts[1]}


def _summary(words: Words, run: Run, found: Mapping[str, Any]) -> Safe:
    measured = evaluation(run)
    return words.say(
        "gallery.counts",
        missed=found["missed"],
        faces=found["faces"],
        missed_share=share(words, found["missed"], found["faces"]),
        false=found["false"],
        proposals=found["proposals"],
        false_share=share(words, found["false"], found["proposals"]),
        score=words.number(found["score"], ".2f"),
        subset=found["subset"].title(),
        data=words.say("none") if measured is None else words.short(measured),
    )


def _misses(words: Words, shown: list[dict[str, Any]]) -> Safe:
    names = ("number", "image", "tall", "why", "known")
    headers = [words.say(f"gallery.{name}") for name in names]
    rows = [
        [
            words.number(place, "d"),
            code(one["picture"]),
            words.say("gallery.pixels", n=round(one["height"])),
            why_missed(words, one),
            known_of(words, one),
        ]
        for place, one in enumerate(shown, start=1)
    ]
    return table(headers, rows, numeric=[0]) if rows else Safe("")


def _alarms(words: Words, shown: list[dict[str, Any]]) -> Safe:
    headers = [words.say(f"gallery.{name}") for name in ("number", "image", "surest", "what")]
    rows = [
        [
            words.number(place, "d"),
            code(one["picture"]),
            words.number(one["score"], ".3f"),
            what_it_is(words, one),
        ]
        for place, one in enumerate(shown, start=1)
    ]
    return table(headers, rows, numeric=[0, 2]) if rows else Safe("")
