"""The matrix of formats: what of a run was converted and run, and what each file costs.

Every figure is one that a sealed run measured: the differences, sizes and losses of AP by its
export, the times by its benchmark. What was not measured is missing, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.metrics import CASE, Metric
from featherface.engines.table import ENGINES, TORCH
from featherface.export.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.records.run import Run

AP = "widerface.hard.ap"
"""The accuracy that the matrix tells."""
NETWORK, RAN, CONVERTED, NOT_MADE = "network", "ran", "converted", "not_made"
"""States of a row: the network itself, a file that ran here, one that nothing runs, none at all."""


@dataclass(frozen=True, kw_only=True)
class MatrixRow:
    """A network in one format, as one run measured it."""

    run: Run
    format: str
    """Name in `featherface.export.formats.FORMATS`; `torch` for the network itself."""
    engine: str
    """Name in `featherface.engines.table.ENGINES`; empty where nothing ran it."""
    state: str
    """`network`, `ran`, `converted` or `not_made`."""
    parity: float | None = None
    """Largest difference of its scores and boxes from the network's."""
    ap: float | None = None
    """Hard AP, a fraction."""
    loss: float | None = None
    """What it loses of the network's AP, a fraction, with its 95 % interval."""
    low: float | None = None
    high: float | None = None
    megabytes: float | None = None
    latency: Metric | None = None
    ratio: Metric | None = None
    """How many times as long it takes as the network in PyTorch, in turns."""
    reason: str = ""
    """Why it was not made or not timed, in the words of the record; empty where it was, or nobody
    asked."""

    @property
    def title(self) -> str:
        """What tables call the format."""
        table: Mapping[str, Any] = ENGINES if self.state == NETWORK else FORMATS
        return str(table[self.format].title) if self.format in table else self.format


def rows(run: Run) -> list[MatrixRow]:
    """Return the network of RUN and each file that it exported; nothing where it exported none."""
    details: Mapping[str, Any] = run.results.get("details", {}).get("export", {})
    artifacts = list(details.get("artifacts") or ())
    if not artifacts:
        return []
    not_timed: Mapping[str, str] = details.get("not_timed") or {}
    not_made: Mapping[str, str] = details.get(NOT_MADE) or {}
    lacking = [
        MatrixRow(run=run, format=name, engine="", state=NOT_MADE, reason=why)
        for name, why in not_made.items()
    ]
    return [_network(run), *(_file(run, about, not_timed) for about in artifacts), *lacking]


def _network(run: Run) -> MatrixRow:
    ap, size = run.metric(AP), run.metric("size.fp32_mb")
    in_turns = _timed(run, TORCH, "median_ms")
    return MatrixRow(
        run=run,
        format=TORCH,
        engine=TORCH,
        state=NETWORK,
        ap=ap.value if ap else None,
        megabytes=size.value if size else None,
        latency=in_turns or run.metric("latency.cpu.median_ms"),
    )


def _file(run: Run, about: Mapping[str, Any], not_timed: Mapping[str, str]) -> MatrixRow:
    name = str(about.get("format", ""))
    latency, parity = _timed(run, name, "median_ms"), about.get("parity")
    ran = parity is not None or latency is not None
    subset: Mapping[str, Any] = (about.get("validation") or {}).get("subsets", {}).get("hard", {})
    return MatrixRow(
        run=run,
        format=name,
        engine=_engine(about, latency) if ran else "",
        state=RAN if ran else CONVERTED,
        parity=_number(parity),
        **{key: _number(subset.get(key)) for key in ("ap", "loss", "low", "high")},
        megabytes=_number(about.get("megabytes")),
        latency=latency,
        ratio=_timed(run, name, "ratio"),
        reason=str(not_timed.get(name, "")),
    )


def _engine(about: Mapping[str, Any], latency: Metric | None) -> str:
    """Return what ran a file: as its run says, or what runs files of that ending."""
    if latency is not None:
        return latency.conditions.engine
    suffix = f".{str(about.get('path', '')).rpartition('.')[2]}"
    by_ending = (name for name, kind in ENGINES.items() if suffix in kind.suffixes)
    return str(about.get("engine") or next(by_ending, ""))


def _timed(run: Run, by: str, what: str) -> Metric | None:
    """Return the first latency of RUN that was computed BY an engine or in a format."""
    for metric in run.metrics:
        case = CASE.fullmatch(metric.name)
        wanted = ("latency", by, None, what)
        if case and (case["start"], case["by"], case["whole"], case["what"]) == wanted:
            return metric
    return None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def possible_formats() -> tuple[dict[str, str], dict[str, str]]:
    """Return the formats that can be written here, and those whose tools or card are missing.

    Each by name: with its title, or with the command that installs its tools.
    """
    from featherface.export.runtime_formats import converter_here  # noqa: PLC0415 - torch is slow

    possible: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, form in FORMATS.items():
        if form.missing() or not converter_here(name):
            missing[name] = form.install or f"install {form.title}, and the card that it is for"
        else:
            possible[name] = form.title
    return possible, missing
