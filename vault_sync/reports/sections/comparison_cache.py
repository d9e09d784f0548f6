"""How runs differ and how sure it is: compared and resampled once, then kept."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import metrics
from experiments.metrics import kind
from featherface.errors import RefusedError, ThesisError
from vault_sync.rendering.cache import keep
from vault_sync.rendering.templates import Safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.context import Page
    from vault_sync.rendering.words import Words

ENGINE = ("compare.py", "result.py", "machines.py", "statistics.py")
"""Modules of `experiments` that decide what a comparison finds."""
Ends = tuple[float, float]


def compared(page: Page, runs: Sequence[Run]) -> dict[str, Any]:
    """Return `Comparison.to_json()` of RUNS, the first being what the others differ from.

    Raises:
        RefusedError: they were evaluated on different data, or a record was changed.
    """

    def make() -> dict[str, Any]:
        from experiments.comparison.compare import compare  # noqa: PLC0415 - only comparisons need it

        try:
            found = compare(runs, store=page.sources.store).to_json()
        except ThesisError as error:
            raise RefusedError(error.message, error.hint) from error
        # What depends on other runs than these must not be kept by their seals.
        return {name: part for name, part in found.items() if name not in ("seeds", "notes")}

    about = [_engine(), *(f"{run.id} {run.seal}" for run in runs)]
    found: dict[str, Any] = keep(page.sources.cache / "comparisons", about, make)
    return found


def intervals(page: Page, run: Run) -> dict[str, Ends]:
    """Return metric -> 95% interval of RUN's APs; empty where it kept no match records."""

    def make() -> dict[str, Any]:
        from experiments.comparison.statistics import paired_bootstrap  # noqa: PLC0415 - numpy
        from experiments.metrics import AP_METRICS  # noqa: PLC0415 - as above

        matches = run.matches()
        if matches is None:
            return {}
        drawn = paired_bootstrap([matches])
        found = {name: drawn.interval(0, key) for name, key in AP_METRICS.items()}
        ends = {name: [one.low, one.high] for name, one in found.items() if one.low == one.low}
        return {"resamples": drawn.resamples, "ends": ends}

    about = [_engine(), f"{run.id} {run.seal}"]
    kept = keep(page.sources.cache / "intervals", about, make)
    return {name: (low, high) for name, (low, high) in kept.get("ends", {}).items()}


def write_interval(words: Words, name: str, ends: Sequence[float | None] | None) -> str:
    """Write the ENDS of an interval in brackets, after a value; nothing where there is none."""
    if not ends or None in ends:
        return ""
    places = kind(name).places
    shown = [words.number(100 * end, f".{places}f") for end in ends if end is not None]
    return words.say("range", low=shown[0], high=shown[1])


def write_difference(
    words: Words,
    name: str,
    value: float,
    unit: str,
    ends: Sequence[float | None] | None = None,
    *,
    sure: bool | None = None,
) -> Safe:
    """Write how far a value is from another; AP in points, bold where it is SURE.

    Where nobody says so, it is sure where ENDS exclude zero.
    """
    sign = "+" if value else ""
    if unit != "fraction":
        return words.amount(value, name, unit, sign=sign)
    spec = f"{sign}.{kind(name, unit).places}f"
    text = words.say("points", n=words.number(100 * value, spec))
    if established(ends) if sure is None else sure:
        text = Safe(f"**{text}**")
    return Safe(text + write_interval(words, name, ends))


def established(ends: Sequence[float | None] | None) -> bool:
    """Whether an interval lies on one side of zero."""
    low, high = ends or (None, None)
    return low is not None and high is not None and (low > 0 or high < 0)


@cache
def _engine() -> str:
    """Say by what runs are compared: another version may compare them otherwise."""
    # Not through importlib.resources: a folder called experiments in the path would hide ours.
    folder = Path(metrics.__file__).parent / "comparison"
    parts = [(folder / name).read_bytes() for name in ENGINE]
    return hashlib.sha256(b"".join(parts)).hexdigest()
