"""The matrix of formats: what was converted and run, and AP, size and latency of each file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.benchmarking.matrix import CONVERTED, NETWORK, RAN, rows
from featherface.engines.table import ENGINES
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe, aside, escape
from vault_sync.rendering.page import Group, Page, evaluation, group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.benchmarking.matrix import MatrixRow
    from experiments.records.run import Run

COLUMNS = ("run", "format", "engine", "state", "parity", "ap", "loss", "size", "latency", "ratio")
NUMERIC = range(4, len(COLUMNS))
MENDED = ("no_network_ap", "no_latency")
"""Reasons that a benchmark would do away with."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/matrix.jinja shows; None before the first export."""
    chosen = page.sources.select(page.selectors) if page.selectors else []
    runs = chosen or page.sources.latest_where(lambda run: bool(rows(run)))
    page.sources.check(runs)
    exported = [run for run in runs if rows(run)]
    if not exported:
        return None
    groups = group(exported, page.words)
    listed = [row for run in exported for row in rows(run)]
    return {
        "groups": [_section(page, members, place) for place, members in enumerate(groups, 1)],
        "timed": any(row.ratio is not None for row in listed),
        "lossy": any(row.loss is not None and row.low is not None for row in listed),
    }


def _section(page: Page, members: Group, number: int) -> dict[str, object]:
    page = page.within(members)
    listed = [row for run in members.runs for row in rows(run)]
    headers = [page.words.say(f"matrix.{key}") for key in COLUMNS]
    return {
        "claim": members.claim,
        "table": page.table("formats", headers, [_cells(page, row) for row in listed], NUMERIC),
        "settings": list(dict.fromkeys(_settings(page, listed))),
        "reasons": list(_reasons(page, listed)),
        "disturbed": any(row.latency is not None and row.latency.marks for row in listed),
        "picture": _picture(page, members, listed, number),
    }


def _cells(page: Page, row: MatrixRow) -> list[object]:
    words, none = page.words, page.words.say("none")
    engine = ENGINES[row.engine].title if row.engine in ENGINES else row.engine
    return [
        page.run(row.run),
        escape(row.title),
        escape(engine) if engine else none,
        words.say(f"matrix.{row.state}"),
        none if row.parity is None else words.number(row.parity, ".1e"),
        none if row.ap is None else words.number(row.ap, ".1%"),
        _loss(page, row),
        none if row.megabytes is None else words.amount(row.megabytes, "size.fp32_mb"),
        none if row.latency is None else words.value(row.latency),
        none if row.ratio is None else words.value(row.ratio),
    ]


def _loss(page: Page, row: MatrixRow) -> Safe:
    """Write what a file loses of the network's AP, in points, with its interval."""
    words = page.words
    if row.loss is None:
        return words.say("none")
    text = words.number(row.loss, "+.1p") if row.loss else words.number(0.0, ".1p")
    if row.low is None or row.high is None:
        return text
    ends = (words.number(end, "+.1p") for end in (row.low, row.high))
    return Safe(f"{text} [{words.semicolon.join(ends)}]")


def _settings(page: Page, listed: Sequence[MatrixRow]) -> Iterator[Safe]:
    """Yield a sentence on how the latencies were taken, for each way that they were."""
    words = page.words
    for row in listed:
        if row.latency is not None:
            on = row.latency.conditions
            yield words.say(
                "matrix.setting",
                setting=words.setting(row.latency),
                machine=escape(on.hardware) if on.hardware else words.say("speed.unknown"),
                n=row.latency.n,
            )


def _reasons(page: Page, listed: Sequence[MatrixRow]) -> Iterator[Safe]:
    """Yield why cells are empty: what was not run, not timed, not evaluated."""
    words = page.words
    kinds = {
        "not_run": [row for row in listed if row.state == CONVERTED],
        "no_ap": [row for row in listed if row.state == RAN and row.ap is None],
        "no_network_ap": [row for row in listed if row.state == NETWORK and row.ap is None],
        "no_latency": [
            row
            for row in listed
            if row.state in (NETWORK, RAN) and row.latency is None and not row.reason
        ],
    }
    for key, missing in kinds.items():
        for formats, runs in _alike(missing):
            named = words.listing([page.run_in_prose(run) for run in runs])
            said = words.say(f"matrix.{key}", run=named, formats=words.listing(formats))
            yield Safe(f"{said}{_command(runs)}" if key in MENDED else said)
    reasons: dict[tuple[str, str], list[Run]] = {}
    for row in listed:
        if row.reason and row.state != CONVERTED:
            reasons.setdefault((row.title, row.reason), []).append(row.run)
    for (title, why), runs in reasons.items():
        named = words.listing([page.run_in_prose(run) for run in runs])
        yield words.say("matrix.why", run=named, format=Safe(title), why=words.recorded(why))


def _alike(rows: Sequence[MatrixRow]) -> Iterator[tuple[tuple[Safe, ...], list[Run]]]:
    """Yield the formats of ROWS with the runs of which they all are."""
    formats: dict[Run, list[Safe]] = {}
    for row in rows:
        formats.setdefault(row.run, []).append(Safe(row.title))
    alike: dict[tuple[Safe, ...], list[Run]] = {}
    for run, titles in formats.items():
        alike.setdefault(tuple(titles), []).append(run)
    yield from alike.items()


def _command(runs: Sequence[Run]) -> str:
    """Say how to fill the cells, for the student alone: no reader of the thesis is told."""
    return "".join(f" {aside(f'thesis benchmark --matrix {run.id}')}" for run in runs)


def _picture(page: Page, members: Group, listed: Sequence[MatrixRow], number: int) -> Safe:
    points = [_point(row) for row in listed]
    measured = evaluation(members.runs[0])
    data = page.words.say("none") if measured is None else page.words.short(measured)
    draw = partial(pictures.formats_against_ap, points, str(data), page.words.language)
    name = f"{page.block_id}-formats{f'-{number}' if number > 1 else ''}"
    marked = any(row.ap is not None and row.latency and row.latency.marks for row in listed)
    hollow = f" {page.words.say('matrix.hollow')}" if marked else ""
    caption = Safe(f"{page.words.say('matrix.figure', data=data)}{hollow}")
    return page.picture(name, caption, [repr(points), str(data)], draw, ["formats"])


def _point(row: MatrixRow) -> dict[str, Any]:
    """Return what the picture shows of ROW."""
    latency = row.latency
    return {
        "run": row.run.id,
        "format": row.title,
        "ap": row.ap,
        "megabytes": row.megabytes,
        "latency": None if latency is None else latency.value,
        "marked": bool(latency is not None and latency.marks),
    }
