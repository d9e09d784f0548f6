"""The note of one run: how it was set up, on what, and what it measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.records.annotations import OPEN
from vault_sync.rendering.markdown import Safe, code, escape
from vault_sync.rendering.page import Page, evaluation
from vault_sync.rendering.private_text import public
from vault_sync.rendering.setting_words import setting_value
from vault_sync.reports.face_heights import recall_by_height
from vault_sync.reports.gallery import shown_elsewhere
from vault_sync.reports.sections.drawing import loss_curves, precision_recall
from vault_sync.reports.sections.measures import decision
from vault_sync.reports.sections.speed import speed, timing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.records.run import Run
    from vault_sync.rendering.words import Words

FEW = 3
"""Conditions that are told in sentences; more have a column of the table."""
TRAIN_KEYS = ("epochs", "batch_size", "image_size", "optimizer", "lr")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/run.jinja shows."""
    run_id = page.block_id.removeprefix("run.")
    (run,) = page.sources.select([run_id])
    measured = evaluation(run)
    words, verdict = page.words, run.annotations.verdict or OPEN
    return {
        "hypothesis": words.recorded(public(run.hypothesis)),
        "sealed": words.recorded(_sealed(run)),
        "verdict": words.name("verdict", verdict) if verdict != OPEN else "",
        "setup": page.table(
            "setup",
            [words.say("column.setup"), words.say("column.value")],
            setup_rows(page, run),
            run=run.id,
        ),
        "claim": words.say("claim.none") if measured is None else words.claim(measured),
        "results": results(page, run) if run.metrics else "",
        "speed": speed(page, [run]),
        "decision": decision(page, [run]),
        "heights": recall_by_height(page, [run]),
        "warnings": [words.recorded(warning) for warning in run.record.warnings],
        "pictures": [
            picture for picture in (loss_curves(page, run), precision_recall(page, run)) if picture
        ],
        "mistakes": shown_elsewhere(page, run),
    }


def _sealed(run: Run) -> str:
    """Return the hypothesis of the record where the student has changed its wording since."""
    stated = run.record.hypothesis.strip()
    return "" if stated == run.hypothesis else public(stated)


def setup_rows(page: Page, run: Run) -> list[list[object]]:
    """Say what was run: only what the record knows."""
    words, record = page.words, run.record
    say = words.say
    rows: list[list[object]] = [[say("setup.variant"), code(run.variant)]] if run.variant else []
    trained = record.stages.get("train") is not None and record.stages["train"].status == "done"
    if trained:
        rows += _trained_on(page, run)
        train = run.recipe.get("train", {})
        rows += [
            [say(f"setup.{key}"), _setting(words, key, train[key])]
            for key in TRAIN_KEYS
            if key in train
        ]
    rows += _parents(page, run)
    rows += [
        [say("setup.seed"), str(record.seed)],
        [say("setup.code"), _code(words, run)],
        [say("setup.machine"), _machine(words, record.hardware)],
        [say("setup.started"), words.date(record.created)],
        [say("setup.duration"), words.duration(record.seconds)],
        [say("setup.labels"), ", ".join(run.labels)],
        [say("setup.seal"), code(run.seal[:16])],
    ]
    return [row for row in rows if row[1]]


def results(page: Page, run: Run) -> Safe:
    """List every metric of a run; below, the conditions that are not those told around the table.

    Where these are many they have a column.
    """
    words, usual = page.words, _usual(page, run)
    rows, others = [], dict[Safe, list[Safe]]()
    for metric in run.metrics:
        title, on = words.title(metric), words.conditions(metric)
        said = on in usual or on == words.say("none")
        if not said:
            others.setdefault(on, []).append(title)
        rows.append([title, words.value(metric), Safe("") if said else on])
    headers = [words.say(f"column.{key}") for key in ("metric", "value", "conditions")]
    if len(others) > FEW:
        return page.table("results", headers, rows, [1], run=run.id)
    laid_out = page.table("results", headers[:2], [row[:2] for row in rows], [1], run=run.id)
    told = [
        words.say("run_conditions", metrics=words.listing(titles), conditions=on)
        for on, titles in others.items()
    ]
    return Safe("\n\n".join([laid_out, *told]))


def _usual(page: Page, run: Run) -> set[Safe]:
    """Return the conditions that are told around the table: the data, and how time was taken."""
    measured, timed = evaluation(run), timing(run)
    about = [page.words.conditions(metric) for metric in (measured, timed) if metric]
    if timed and timed.conditions.threads:  # memory is taken with as many, and does not say so
        conditions = replace(timed.conditions, threads=0)
        about.append(page.words.setting(replace(timed, conditions=conditions)))
    return set(about)


def _trained_on(page: Page, run: Run) -> list[list[object]]:
    """Say on how many images of what set a run was trained, as its record knows."""
    words = page.words
    split = str(run.recipe.get("data", {}).get("train_split", "train"))
    about = run.data.get(split, {})
    images = about.get("images") or about.get("files")
    if not images:
        return []
    name = words.name("dataset", str(about.get("dataset", "")))
    return [[words.say("setup.train"), words.say("setup.images", n=images, data=name)]]


def _parents(page: Page, run: Run) -> list[list[object]]:
    rows: list[list[object]] = []
    for parent in run.record.parents:
        label = page.words.name("setup", parent.role)
        name = page.named_run(parent.run) if parent.run else code(parent.path)
        digest = "" if parent.run or not parent.sha256 else f" (sha256 {parent.sha256[:16]})"
        rows.append([label, Safe(name + digest)])
    return rows


def _setting(words: Words, key: str, value: Any) -> Safe:
    if key == "image_size":
        return words.say("setup.pixels", n=value)
    return setting_value(words, f"train.{key}", value)


def _code(words: Words, run: Run) -> Safe:
    git = run.record.git
    if not git.commit:
        return code(f"thesis {run.record.tool}") if run.record.tool else Safe("")
    commit = code(git.commit[:12])
    return words.say("setup.code_dirty", commit=commit) if git.dirty else commit


def _machine(words: Words, hardware: Mapping[str, Any]) -> Safe:
    """Say what decides speed."""
    parts = [escape(str(hardware[key])) for key in ("gpu", "cpu") if hardware.get(key)]
    counts = [key for key in ("cores", "threads") if isinstance(hardware.get(key), int)]
    parts += [words.say(f"setup.{key}", n=hardware[key]) for key in counts]
    parts += [escape(str(hardware["system"]))] if hardware.get("system") else []
    return Safe(", ".join(parts))
