"""Ablations: what each part of an experiment is worth, against its base run, and how surely."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.metrics import AP_METRICS, kind
from experiments.running.buildup_names import is_step
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe, code, table
from vault_sync.rendering.page import Group, Page, group, measured_on
from vault_sync.rendering.sources import ablated
from vault_sync.reports.sections.ablation_seeds import Found, over_seeds, steps
from vault_sync.reports.sections.comparison_cache import compared
from vault_sync.reports.sections.differences import differences
from vault_sync.reports.sections.measures import columns, faces
from vault_sync.reports.sections.run_diff import changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run
    from vault_sync.reports.sections.ablation_seeds import Rows

COSTS = ("params.total", "macs.640")
MOST = 4
"""Changes that a cell names; more are counted."""
EXPECTED = "expected-gains"
"""The planned result whose metrics are the gains that the thesis expects of its innovations."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/ablation.jinja shows; None before the first ablation.

    Runs whose tags hold `ablation:BASE` are set against the version of BASE that is nearest to
    them among those evaluated on the same data by the same protocol.
    """
    runs = _variants(page)
    if not runs:
        return None
    bases = dict.fromkeys(ablated(run) for run in runs)
    studies = [_study(page, base, [run for run in runs if ablated(run) == base]) for base in bases]
    return {"studies": studies, "expected": _expected(page)}


def _variants(page: Page) -> list[Run]:
    """Return the latest run of each ablation and seed, of one base where the id names it."""
    _, _, only = page.block_id.partition("ablation.")
    only = page.attributes.get("base", only)
    known = page.sources.select(page.selectors) if page.selectors else page.sources.sealed
    found = {_who(run): run for run in known if ablated(run)}
    return [run for run in found.values() if not only or ablated(run) == only]


def _who(run: Run) -> tuple[str, int]:
    """Return what repetitions of a run have in common; of a damaged record, its own name."""
    return (run.experiment, run.record.seed) if ablated(run) else (run.id, 0)


def _study(page: Page, base: str, runs: Sequence[Run]) -> dict[str, object]:
    page.sources.check(runs)
    parts: list[dict[str, Any]] = []
    for one in group(runs, page.words):
        alike = [_part(page, base, part, len(parts) + at) for at, part in enumerate(_seeds(one), 1)]
        parts += alike
        for part in alike:
            part["several_seeds"] = len(alike) > 1
        if len(alike) > 1:
            alike[-1]["seeds"] = over_seeds(page, [part["found"] for part in alike])
    return {"base": code(base), "parts": parts}


def _seeds(one: Group) -> list[Group]:
    """Part runs on the same data by their training seed: a seed moves AP as a change does."""
    seeds = sorted({run.record.seed for run in one.runs})
    parted = [tuple(run for run in one.runs if run.record.seed == seed) for seed in seeds]
    return [replace(one, runs=runs) for runs in parted]


def _part(page: Page, base: str, one: Group, place: int) -> dict[str, Any]:
    """Gather what runs on the same data and of the same seed show."""
    key, runs = measured_on(one.runs[0]), list(one.runs)
    alike = [run for run in page.sources.sealed if run.experiment == base]
    chosen = _nearest(page, [run for run in alike if measured_on(run) == key], runs)
    page.sources.check(chosen)
    if chosen:
        runs.sort(key=lambda run: _place(page, chosen[0], run))
    found: dict[str, Any] = {
        "claim": one.claim,
        "seed": str(runs[0].record.seed),
        "several_seeds": False,
        "seeds": "",
        "steps": "",
        "faces": faces(page, runs),
        "missing": "" if chosen else code(base),
        "command": code(f"thesis run {base}"),
        "measures": _values(page, chosen, runs),
        "differences": "",
        "several": [],
        "picture": "",
        "found": Found(None, runs, {}),
    }
    if chosen:
        found |= _against(page, chosen[0], runs, place)
    return found


def _place(page: Page, base: Run, run: Run) -> int:
    """Rank the steps of a build-up from the bare network on; other runs keep their order."""
    return -len(changes(page, base, run)) if is_step(run.experiment, base.experiment) else 0


def _nearest(page: Page, bases: Sequence[Run], runs: Sequence[Run]) -> list[Run]:
    """Return the version of the base that RUNS differ from in the fewest things, the latest such.

    A base that was run again with other settings since is not what the ablations were made from.
    """
    ranked = [(sum(len(changes(page, one, run)) for run in runs), one) for one in bases]
    fewest = min((count for count, _ in ranked), default=0)
    return [one for count, one in ranked if count == fewest][-1:]


def _against(page: Page, base: Run, runs: Sequence[Run], place: int) -> dict[str, Any]:
    rows = {row["metric"]: row for row in compared(page, [base, *runs])["rows"]}
    several = [page.run_in_prose(run) for run in runs if len(changes(page, base, run)) > 1]
    built = [run for run in runs if is_step(run.experiment, base.experiment)]
    return {
        "found": Found(base, runs, rows),
        "steps": steps(page, [*built, base]) if built else "",
        "differences": _differences(page, base, runs, rows),
        "several": page.words.listing(several),
        "picture": _picture(page, base, runs, rows, place),
    }


def _values(page: Page, base: Sequence[Run], runs: Sequence[Run]) -> Safe:
    """List what was switched in each run, and what it measured; the base comes first."""
    words = page.words
    names = columns([*base, *runs], (*AP_METRICS, *COSTS))
    headers = [words.say("column.run"), words.say("ablation.change")]
    headers += [Safe(kind(name).title(words.language)) for name in names]
    lines: list[list[object]] = []
    for run in [*base, *runs]:
        told = words.say("ablation.base") if run in base else _change(page, base, run)
        lines.append([page.run(run), told, *(page.cell(run.metric(name)) for name in names)])
    return table(headers, lines, numeric=range(2, len(headers)))


def _change(page: Page, base: Sequence[Run], run: Run) -> Safe:
    """Say in what RUN differs from its base."""
    if not base:
        return page.words.say("none")
    found = changes(page, base[0], run)
    told = [
        page.words.say("ablation.one", name=one.name, before=one.before, after=one.after)
        for one in found[:MOST]
    ]
    if len(found) > MOST:
        told.append(page.words.say("ablation.more", n=len(found) - MOST))
    return Safe("<br>".join(told)) or page.words.say("ablation.nothing")


def _differences(page: Page, base: Run, runs: Sequence[Run], rows: Rows) -> Safe:
    """List the differences from the base, and which of them are established."""
    words = page.words
    names = [name for name in AP_METRICS if name in rows]
    headers: list[object] = [words.say("column.less", base=base.id)]
    headers += [Safe(kind(name).title(words.language)) for name in names]
    headers.append(words.say("ablation.established"))
    cells = differences(page, base, runs, [rows[name] for name in names])
    lines = [
        [page.run(run), *row, _established(page, run, rows, names)]
        for run, row in zip(runs, cells, strict=True)
    ]
    return table(headers, lines, numeric=range(1, len(headers) - 1))


def _established(page: Page, run: Run, rows: Rows, names: Sequence[str]) -> Safe:
    """Name the metrics whose difference has an interval without zero."""
    words = page.words
    found = {name: _delta(rows, name, run) for name in names}
    known = {name: one for name, one in found.items() if one and one["low"] is not None}
    if not known:
        return words.say("ablation.unknown")
    sure = [name for name, one in known.items() if one["established"]]
    titles = [Safe(kind(name).title(words.language)) for name in sure]
    return Safe(f"**{words.listing(titles)}**") if titles else words.say("ablation.none")


def _delta(rows: Rows, name: str, run: Run) -> Mapping[str, Any] | None:
    """Return value and interval of the difference from the base."""
    value = rows[name]["values"].get(run.id) if name in rows else None
    delta: Mapping[str, Any] | None = (value or {}).get("delta")
    return delta


def _picture(page: Page, base: Run, runs: Sequence[Run], rows: Rows, place: int) -> Safe:
    """Draw the differences in the base's primary metric."""
    words, name = page.words, base.record.primary_metric
    found = {run: _delta(rows, name, run) for run in runs}
    shown = {run: delta for run, delta in found.items() if delta}
    if not shown:
        return Safe("")
    title = words.say("ablation.title", metric=kind(name).title(words.language), run=base.id)
    ends = ("value", "low", "high")
    bars = [
        {"label": run.id, "sure": delta["established"], **{key: delta[key] for key in ends}}
        for run, delta in shown.items()
    ]
    image = f"{page.block_id}-{base.experiment}{f'-{place}' if place > 1 else ''}"
    draw = partial(pictures.difference_bars, bars, str(title), words.language)
    caption = words.say("ablation.figure", title=title)
    return page.picture(image, caption, [str(title), repr(bars)], draw)


def _expected(page: Page) -> Safe:
    """List the gains that the thesis expects; empty where it names none."""
    words, plan = page.words, page.sources.workspace.cited.get(EXPECTED)
    if plan is None:
        return Safe("")
    headers = [words.say("ablation.innovation"), words.say("ablation.gain")]
    rows = [
        [_gain(page, one.name), words.say("points", n=words.number(100 * one.value, "+.1f"))]
        for one in plan.metrics
    ]
    return table(headers, rows, numeric=[1])


def _gain(page: Page, name: str) -> Safe:
    key = name.removeprefix("gain.")
    told = page.words.name("gain", key)
    return code(key) if told == key else told
