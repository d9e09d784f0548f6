"""Ablation studies: what each change does to AP and cost against its base run, with intervals."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.ablation.buildup_names import is_step
from experiments.metrics import AP_METRICS, kind
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe, aside, code, escape
from vault_sync.rendering.page import Group, Page, group, measured_on
from vault_sync.rendering.sources import ablated
from vault_sync.reports.sections.ablation_seeds import SeedAblation, over_seeds, steps
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
    candidates = page.sources.select(page.selectors) if page.selectors else page.sources.counting
    latest = {_seed_key(run): run for run in candidates if ablated(run)}
    return [run for run in latest.values() if not only or ablated(run) == only]


def _seed_key(run: Run) -> tuple[str, int]:
    """Return experiment and training seed; of runs that are no ablation, the id alone."""
    return (run.experiment, run.record.seed) if ablated(run) else (run.id, 0)


def _study(page: Page, base: str, runs: Sequence[Run]) -> dict[str, object]:
    page.sources.check(runs)
    parts: list[dict[str, Any]] = []
    for data_group in group(runs, page.words):
        by_seed, scope = _seeds(data_group), f"{base}-{data_group.scope}"
        alike = [
            _part(page.about(part_scope, data_group.short), base, part, len(parts) + at)
            for at, part in enumerate(by_seed, 1)
            for part_scope in [f"{scope}-seed-{_seed(part)}" if len(by_seed) > 1 else scope]
        ]
        parts += alike
        for part in alike:
            part["several_seeds"] = len(alike) > 1
        if len(alike) > 1:
            about = page.about(scope, data_group.short)
            alike[-1]["seeds"] = over_seeds(about, [part["ablation"] for part in alike])
    return {"base": escape(base), "parts": parts}


def _seeds(members: Group) -> list[Group]:
    """Part runs on the same data by their training seed: a seed moves AP as a change does."""
    seeds = sorted({run.record.seed for run in members.runs})
    parted = [tuple(run for run in members.runs if run.record.seed == seed) for seed in seeds]
    return [replace(members, runs=runs) for runs in parted]


def _seed(members: Group) -> int:
    return members.runs[0].record.seed


def _part(page: Page, base: str, members: Group, place: int) -> dict[str, Any]:
    """Gather what runs on the same data and of the same seed show."""
    key, runs = measured_on(members.runs[0]), list(members.runs)
    alike = [run for run in page.sources.counting if run.experiment == base]
    chosen = _nearest(page, [run for run in alike if measured_on(run) == key], runs)
    page.sources.check(chosen)
    if chosen:
        runs.sort(key=lambda run: _place(page, chosen[0], run))
    part: dict[str, Any] = {
        "claim": members.claim,
        "seed": str(runs[0].record.seed),
        "several_seeds": False,
        "seeds": "",
        "steps": "",
        "faces": faces(page, runs),
        "missing": "" if chosen else code(base),
        "command": aside(f"thesis run {base}"),
        "measures": _values(page, chosen, runs),
        "differences": "",
        "several": [],
        "picture": "",
        "ablation": SeedAblation(None, runs, {}),
    }
    if chosen:
        part |= _against(page, chosen[0], runs, place)
    return part


def _place(page: Page, base: Run, run: Run) -> int:
    """Rank the steps of a build-up from the bare network on; other runs keep their order."""
    return -len(changes(page, base, run)) if is_step(run.experiment, base.experiment) else 0


def _nearest(page: Page, bases: Sequence[Run], runs: Sequence[Run]) -> list[Run]:
    """Return the version of the base that RUNS differ from in the fewest things, the latest such.

    A base that was run again with other settings since is not what the ablations were made from.
    """
    ranked = [(sum(len(changes(page, base, run)) for run in runs), base) for base in bases]
    fewest = min((count for count, _ in ranked), default=0)
    return [base for count, base in ranked if count == fewest][-1:]


def _against(page: Page, base: Run, runs: Sequence[Run], place: int) -> dict[str, Any]:
    rows = {row["metric"]: row for row in compared(page, [base, *runs])["rows"]}
    several = [page.run_in_prose(run) for run in runs if len(changes(page, base, run)) > 1]
    built = [run for run in runs if is_step(run.experiment, base.experiment)]
    return {
        "ablation": SeedAblation(base, runs, rows),
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
        change = words.say("ablation.base") if run in base else _change(page, base, run)
        lines.append([page.run(run), change, *(page.cell(run.metric(name)) for name in names)])
    return page.table("switched", headers, lines, range(2, len(headers)))


def _change(page: Page, base: Sequence[Run], run: Run) -> Safe:
    """Say in what RUN differs from its base."""
    if not base:
        return page.words.say("none")
    differing = changes(page, base[0], run)
    phrases = [
        page.words.say("ablation.one", name=change.name, before=change.before, after=change.after)
        for change in differing[:MOST]
    ]
    if len(differing) > MOST:
        phrases.append(page.words.say("ablation.more", n=len(differing) - MOST))
    return Safe("<br>".join(phrases)) or page.words.say("ablation.nothing")


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
    numeric = range(1, len(headers) - 1)
    return page.table("differences", headers, lines, numeric, base=base.id)


def _established(page: Page, run: Run, rows: Rows, names: Sequence[str]) -> Safe:
    """Name the metrics whose difference has an interval without zero."""
    words = page.words
    deltas = {name: _delta(rows, name, run) for name in names}
    resampled = {
        name: delta for name, delta in deltas.items() if delta and delta["low"] is not None
    }
    if not resampled:
        return words.say("ablation.unknown")
    sure = [name for name, delta in resampled.items() if delta["established"]]
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
    deltas = {run: _delta(rows, name, run) for run in runs}
    measured = {run: delta for run, delta in deltas.items() if delta}
    if not measured:
        return Safe("")
    title = words.say("ablation.title", metric=kind(name).title(words.language), run=base.id)
    ends = ("value", "low", "high")
    bars = [
        {"label": run.id, "sure": delta["established"], **{key: delta[key] for key in ends}}
        for run, delta in measured.items()
    ]
    image = f"{page.block_id}-{base.experiment}{f'-{place}' if place > 1 else ''}"
    draw = partial(pictures.difference_bars, bars, str(title), words.language)
    caption = words.say("ablation.figure", title=title)
    return page.picture(image, caption, [str(title), repr(bars)], draw, ["differences"])


def _expected(page: Page) -> Safe:
    """List the gains that the thesis expects; empty where it names none."""
    words, plan = page.words, page.sources.workspace.cited.get(EXPECTED)
    if plan is None:
        return Safe("")
    headers = [words.say("ablation.innovation"), words.say("ablation.gain")]
    rows = [
        [_gain(page, metric.name), words.say("points", n=words.number(100 * metric.value, "+.1f"))]
        for metric in plan.metrics
    ]
    return page.table("gains", headers, rows, [1])


def _gain(page: Page, name: str) -> Safe:
    key = name.removeprefix("gain.")
    title = page.words.name("gain", key)
    return code(key) if title == key else title
