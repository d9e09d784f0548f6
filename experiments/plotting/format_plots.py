"""AP of exported files against their latency and their size: a plane each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from experiments.plotting.labels import write_labels
from experiments.plotting.pareto import STEPS
from experiments.plotting.style import (
    GREY,
    PALETTE,
    make_figure,
    number_ticks,
    styled,
    write_png,
)
from experiments.wording.numbers import format_number
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

COSTS = {"latency": "plot.format_latency", "megabytes": "plot.format_size"}
"""Key of a point -> the title of its axis."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p", "h", "d", "8")
"""One for each format that there may be."""


def ap_of_formats(points: Sequence[Mapping[str, Any]], context: str, language: str = "en") -> bytes:
    """Draw Hard AP against latency and against size.

    Args:
        points: `run`, `format`, `ap` (fraction), and `latency` (ms) or `megabytes` or both, None
            where it was not measured; `marked` where the latency has a mark: drawn hollow.
        context: what AP was measured on.
        language: of titles and axes.

    Returns:
        PNG bytes; empty where no AP stands beside a cost.
    """
    planes = [
        (cost, [point for point in points if point["ap"] is not None and point[cost] is not None])
        for cost in COSTS
    ]
    planes = [(cost, members) for cost, members in planes if members]
    if not planes:
        return b""
    drawn = [point for point in points if any(point in members for _, members in planes)]
    runs = list(dict.fromkeys(point["run"] for point in drawn))
    formats = list(dict.fromkeys(point["format"] for point in drawn))
    with styled():
        figure, axes = make_figure(len(planes), width=5.4 * len(planes), height=4.4)
        for axis, (cost, members) in zip(axes, planes, strict=True):
            for point in members:
                colour = PALETTE[runs.index(point["run"]) % len(PALETTE)]
                hollow = cost == "latency" and point["marked"]
                axis.scatter(
                    [point[cost]],
                    [point["ap"]],
                    s=48,
                    zorder=3,
                    marker=MARKERS[formats.index(point["format"]) % len(MARKERS)],
                    edgecolors=colour,
                    facecolors="none" if hollow else colour,
                )
            _word(axis, cost, language)
        figure.supxlabel(context, fontsize=8, color=GREY, x=0.99, ha="right")
        if len(runs) > 1:
            _key(axes[0], runs, formats)
        for axis, (cost, members) in zip(axes, planes, strict=True):
            named = [(str(point["format"]), point[cost], point["ap"]) for point in members]
            write_labels(figure, axis, named if len(runs) == 1 else [], size=7)
        return write_png(figure)


def _word(axis: Axes, cost: str, language: str) -> None:
    """Set scales, ticks and titles."""
    axis.margins(x=0.25, y=0.25)
    axis.set_xscale("log")
    left, right = axis.get_xlim()
    ticks = [v for power in range(-3, 7) for s in STEPS if left <= (v := s * 10.0**power) <= right]
    axis.set_xticks(ticks[:: 1 + len(ticks) // 8])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: format_number(v, ".3g", language)))
    low, high = axis.get_ylim()
    spec = ".0%" if high - low > 0.05 else ".1%" if high - low > 0.005 else ".2%"
    axis.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(number_ticks(spec, language))
    axis.set_xlabel(say(COSTS[cost], language))
    axis.set_ylabel(say("plot.format_ap", language))
    axis.set_title(say(f"plot.format_title_{cost}", language))


def _key(axis: Axes, runs: Sequence[str], formats: Sequence[str]) -> None:
    """Say below the first plane which colour is which run, and which marker which format.

    Points of one run alone are named beside themselves.
    """
    for place, run in enumerate(runs):
        axis.scatter([], [], s=40, marker="s", color=PALETTE[place % len(PALETTE)], label=run)
    for place, name in enumerate(formats):
        marker = MARKERS[place % len(MARKERS)]
        axis.scatter([], [], s=40, marker=marker, color=GREY, label=name)
    axis.legend(
        loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=4, fontsize=7, handletextpad=0.3
    )
