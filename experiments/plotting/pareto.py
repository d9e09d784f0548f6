"""Pareto plots: AP against cost, with published results, targets and the front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.legend_handler import HandlerTuple
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from experiments.metrics import kind
from experiments.plotting.labels import write_labels
from experiments.plotting.pareto_points import best_of, comparable, of_cited, of_runs
from experiments.plotting.style import (
    GREY,
    MARKERS,
    PALETTE,
    make_figure,
    number_ticks,
    say_context,
    styled,
    write_png,
)
from experiments.wording.catalogue import find
from experiments.wording.numbers import format_number
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    from experiments.plotting.pareto_points import ParetoPoint
    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult

PUBLISHED: dict[str, Any] = {"marker": "o", "facecolors": "none", "edgecolors": GREY}
TARGET: dict[str, Any] = {"marker": "x", "color": GREY}
SHOWN = 4
"""Markers of runs that the key shows beside each other."""
STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
"""Where a decade's ticks may stand."""


def _thousands(value: float, language: str) -> str:
    return say("thousands", language, n=format_number(value / 1000, ",.0f", language))


def _giga(value: float, language: str) -> str:
    return format_number(value / 1e9, ".3g", language)


def _plain(value: float, language: str) -> str:
    return format_number(value, ",.0f" if value >= 100 else ".3g", language)


COSTS: Mapping[str, tuple[str, Callable[[float, str], str]]] = {
    "params.total": ("plot.parameters", _thousands),
    "macs.640": ("plot.macs", _giga),
    "latency.cpu.median_ms": ("plot.latency_cpu", _plain),
    "latency.gpu.median_ms": ("plot.latency_gpu", _plain),
}
"""Metric on the horizontal axis -> its title's sentence, how its ticks are worded."""


def pareto(
    runs: Sequence[Run],
    cited: Iterable[CitedResult] = (),
    *,
    cost: str = "params.total",
    metric: str = "widerface.hard.ap",
    language: str = "en",
    others: bool = False,
    ends: Mapping[str, tuple[float, float]] | None = None,
) -> bytes:
    """Draw METRIC against COST: runs filled, published results hollow, goals as crosses.

    Only results of one data set, split, protocol and completeness share a plane: those of the
    first run that has METRIC, or of CITED where none has. OTHERS adds a second plane with the
    results that were published by other protocols, where the runs stand on a whole split. The
    line joins the measured and published results that none other beats in both. ENDS are those of
    the intervals of METRIC, by the id of the run.

    Returns:
        PNG bytes; empty where nothing is left.
    """
    measured = of_runs(runs, cost, metric, language, ends)
    aside = of_cited(cited, cost, metric, language)
    first = next(iter([*measured, *aside]), None)
    if first is None:
        return b""
    alike = comparable([*measured, *aside])
    apart = [point for point in aside if point.ap.context != first.ap.context]
    second = others and first.ap.complete and first.ap.dataset == "widerface" and bool(apart)
    with styled():
        figure, axes = make_figure(1 + second, width=10.4 if second else 7.2, height=4.6)
        _draw_plane(axes[0], alike, cost, metric, language)
        if second:
            _draw_others(axes[1], apart, cost, metric, language)
            bounds = [axis.get_ylim() for axis in axes]
            for axis in axes:  # the same height means the same AP
                axis.set_ylim(min(low for low, _ in bounds), max(high for _, high in bounds))
        for axis in axes:
            _word_heights(axis, language)
        place: dict[str, Any] = {"x": 0.01, "ha": "left"} if second else {"x": 0.99, "ha": "right"}
        figure.supxlabel(say_context(first.ap, language), fontsize=8, color=GREY, **place)
        for axis, points in zip(axes, (alike, apart), strict=False):
            named = [(point.label, point.cost.value, point.ap.value) for point in points]
            write_labels(figure, axis, named)
        return write_png(figure)


def _draw_plane(
    axis: Axes, points: Sequence[ParetoPoint], cost: str, metric: str, language: str
) -> None:
    """Draw what may be compared, and the front."""
    mine = [point for point in points if point.evidence == "measured"]
    drawn = []
    for place, point in enumerate(mine):
        look: dict[str, Any] = {
            "marker": MARKERS[place % len(MARKERS)],
            "edgecolors": PALETTE[place % len(PALETTE)],
            "facecolors": "none" if point.marks else PALETTE[place % len(PALETTE)],
        }
        drawn += [axis.scatter([point.cost.value], [point.ap.value], s=52, zorder=3, **look)]
        if point.ends is not None:
            color = PALETTE[place % len(PALETTE)]
            axis.vlines(point.cost.value, *point.ends, color=color, linewidth=1.2, zorder=2)
    for point in points:
        if point.evidence != "measured":
            shape = TARGET if point.evidence == "target" else PUBLISHED
            axis.scatter([point.cost.value], [point.ap.value], s=34, **shape)
    best = best_of(points)
    if len(best) > 1:
        line: dict[str, Any] = {"color": GREY, "linewidth": 1, "linestyle": "--", "zorder": 1}
        axis.plot(*zip(*best, strict=True), drawstyle="steps-post", **line)
    key = f"plot.size_title_{cost.partition('.')[0]}"
    title = say(key, language, metric=kind(metric).title(language))
    _finish(axis, title, cost, metric, language)
    _key(axis, [point.evidence for point in points], drawn, language, line=len(best) > 1)


def _draw_others(
    axis: Axes, points: Sequence[ParetoPoint], cost: str, metric: str, language: str
) -> None:
    """Draw what was published by other protocols, a marker for each."""
    protocols = list(dict.fromkeys(point.ap.protocol for point in points))
    for place, protocol in enumerate(protocols):
        members = [point for point in points if point.ap.protocol == protocol]
        look: dict[str, Any] = {"marker": MARKERS[place % len(MARKERS)], "facecolors": "none"}
        axis.scatter(
            [point.cost.value for point in members],
            [point.ap.value for point in members],
            s=40,
            edgecolors=PALETTE[place % len(PALETTE)],
            label=_protocol(protocol, language),
            **look,
        )
    _finish(axis, say("plot.others", language), cost, metric, language)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=8)


def _protocol(name: str, language: str) -> str:
    """Word a protocol; one that only the user knows is itself."""
    return find("plot_protocol", name, language) or name


def _finish(axis: Axes, title: str, cost: str, metric: str, language: str) -> None:
    """Set scales, ticks and titles."""
    words, tick = COSTS[cost]
    axis.margins(x=0.2, y=0.16)
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    ticks = [v for power in range(-3, 11) for s in STEPS if low <= (v := s * 10.0**power) <= high]
    axis.set_xticks(ticks[:: 1 + len(ticks) // 8])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v, language)))
    axis.set_xlabel(say(words, language))
    axis.set_ylabel(kind(metric).title(language))
    axis.set_title(title)


def _word_heights(axis: Axes, language: str) -> None:
    """Put the ticks of AP where their words are exact: whole points, or tenths close up."""
    low, high = axis.get_ylim()
    spec = ".0%" if high - low > 0.05 else ".1%"
    axis.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(number_ticks(spec, language))


def _key(
    axis: Axes, evidence: Sequence[str], drawn: Sequence[Any], language: str, *, line: bool
) -> None:
    """Say below the plane what the markers and the line mean; the DRAWN runs show their own."""
    looks: dict[str, dict[str, Any]] = {
        "cited": PUBLISHED,
        "target": TARGET,
    }
    for name, look in looks.items():
        if name in evidence:
            axis.scatter([], [], s=34, label=say(f"plot.{name}", language), **look)
    if line:
        axis.plot(
            [], [], color=GREY, linewidth=1, linestyle="--", label=say("plot.front", language)
        )
    handles, labels = axis.get_legend_handles_labels()
    if drawn:
        side_by_side: Any = tuple(drawn[:SHOWN])
        handles = [side_by_side, *handles]
        labels = [say("plot.measured", language), *labels]
    axis.legend(
        handles,
        labels,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.6)},
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=4,
        fontsize=8,
        handletextpad=0.6,
    )
