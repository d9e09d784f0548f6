"""Cached comparisons of runs: paired bootstrap intervals of APs and of their differences."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.comparison.result import excludes_zero
from experiments.metrics import AP_METRICS, kind
from experiments.records.cache import cached_result, record_key
from experiments.records.run import Run, read_matches
from featherface.errors import RefusedError, ThesisError
from vault_sync.rendering.markdown import Safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.records.store import Store
    from vault_sync.rendering.page import Page
    from vault_sync.rendering.words import Words

Ends = tuple[float, float]


def compared(page: Page, runs: Sequence[Run]) -> dict[str, Any]:
    """Return `Comparison.to_json()` of RUNS, the first being what the others differ from.

    Raises:
        RefusedError: they were evaluated on different data, or a record was changed.
    """
    about = [record_key(run) for run in runs]
    make = partial(compare_runs, [run.folder for run in runs], page.sources.store)
    comparison: dict[str, Any] = cached_result(
        page.sources.cache / "comparisons", about, make, ["numpy"]
    )
    return comparison


def compare_runs(folders: Sequence[Path], store: Store) -> dict[str, Any]:
    """Return `Comparison.to_json()` of the runs in FOLDERS, without what other runs decide.

    Raises:
        RefusedError: they were evaluated on different data, or a record was changed.
    """
    from experiments.comparison.compare import compare  # noqa: PLC0415 - only comparisons need it

    # Made here, so that all that a run tells of itself is part of this code.
    runs = [Run(folder) for folder in folders]
    try:
        comparison = compare(runs, store=store).to_json()
    except ThesisError as error:
        raise RefusedError(error.message, error.hint) from error
    return {name: part for name, part in comparison.items() if name not in ("seeds", "notes")}


def intervals(page: Page, run: Run) -> dict[str, Ends]:
    """Return metric -> 95% interval of RUN's APs; empty where it kept no match records."""
    make = partial(interval_ends, run.folder)
    ends = cached_result(page.sources.cache / "intervals", [record_key(run)], make, ["numpy"])
    return {name: (low, high) for name, (low, high) in ends.items()}


def interval_ends(folder: Path) -> dict[str, Ends]:
    """Return metric -> 95% interval of the run in FOLDER; empty without match records."""
    from experiments.comparison.statistics import paired_bootstrap  # noqa: PLC0415 - numpy

    matches = read_matches(folder)
    if matches is None:
        return {}
    drawn = paired_bootstrap([matches])
    intervals = {name: drawn.interval(0, key) for name, key in AP_METRICS.items()}
    finite = {
        name: interval for name, interval in intervals.items() if interval.low == interval.low
    }
    return {name: (interval.low, interval.high) for name, interval in finite.items()}


def write_interval(words: Words, name: str, ends: Sequence[float | None] | None) -> str:
    """Write the ENDS of an interval in brackets, after a value; nothing where there is none."""
    if not ends or None in ends:
        return ""
    known = kind(name)
    scale = 100 if known.unit == "fraction" else 1
    bounds = [words.number(scale * end, f".{known.places}f") for end in ends if end is not None]
    return words.say("range", low=bounds[0], high=bounds[1])


def write_difference(
    words: Words,
    name: str,
    value: float,
    unit: str,
    ends: Sequence[float | None] | None = None,
    *,
    sure: bool | None = None,
    mark: str = "",
) -> Safe:
    """Write how far a value is from another, MARK behind it; AP in points, bold where it is SURE.

    Where nobody says so, it is sure where ENDS exclude zero.
    """
    sign = "+" if value else ""
    if unit != "fraction":
        return words.amount(value, name, unit, sign=sign)
    spec = f"{sign}.{kind(name, unit).places}f"
    text = Safe(words.say("points", n=words.number(100 * value, spec)) + mark)
    if excludes_zero(*(ends or (None, None))) if sure is None else sure:
        text = Safe(f"**{text}**")
    return Safe(text + write_interval(words, name, ends))
