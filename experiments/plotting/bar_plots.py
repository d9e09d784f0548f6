"""Bar plots: parameters by component, and differences with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.comparison.result import excludes_zero
from experiments.plotting.style import (
    GREY,
    PALETTE,
    label_axes,
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

HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo")
"""Told apart in black and white too."""


@dataclass(frozen=True)
class DifferenceBar:
    """One row of a difference plot: a change of AP with its interval."""

    label: str
    value: float
    """Fraction: 0.01 is one point."""
    low: float | None = None
    high: float | None = None
    sure: bool | None = None
    """Whether it is other than zero, as a correction found; None leaves it to the interval."""
    singles: tuple[float, ...] = ()
    """What the value is the mean of, where it is one."""

    @property
    def established(self) -> bool:
        """Whether it is sure or, where nobody said, whether the interval excludes zero."""
        if self.sure is not None:
            return self.sure
        return excludes_zero(self.low, self.high)


def component_bars(
    networks: Mapping[str, Mapping[str, int]], names: Mapping[str, str], language: str = "en"
) -> bytes:
    """Draw one bar per network, made of the parameters of its components.

    Args:
        networks: label -> component -> parameters.
        names: component -> what the key calls it, in the order of the pieces.
        language: of the axis.

    Returns:
        PNG bytes; empty where there is no network.
    """
    if not networks:
        return b""
    with styled():
        figure, (axis,) = make_figure(1, width=7.6, height=1.5 + 0.5 * len(networks))
        ends = [0.0] * len(networks)
        for place, (component, name) in enumerate(names.items()):
            widths = [float(parts.get(component, 0)) for parts in networks.values()]
            look: dict[str, Any] = {
                "color": PALETTE[place % len(PALETTE)],
                "hatch": HATCHES[place % len(HATCHES)],
            }
            axis.barh(range(len(widths)), widths, left=ends, label=name, edgecolor="white", **look)
            ends = [end + width for end, width in zip(ends, widths, strict=True)]
        for row, end in enumerate(ends):
            axis.annotate(
                format_number(end, ",.0f", language),
                (end, row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
        axis.margins(x=0.14)
        label_axes(axis, say("plot.parts", language), "", language, ",.0f")
        _name_rows(axis, list(networks))
        figure.legend(loc="outside lower center", ncols=min(4, len(names)), fontsize=8)
        return write_png(figure)


def difference_bars(changes: Sequence[DifferenceBar], title: str, language: str = "en") -> bytes:
    """Draw the difference that each change makes, with its interval, against zero.

    Filled: established; hollow: not, or there is no interval. Small points are what a mean is
    made of. TITLE names the metric and the base. Empty bytes where CHANGES is empty.
    """
    if not changes:
        return b""
    with styled():
        figure, (axis,) = make_figure(1, width=7.2, height=1.4 + 0.36 * len(changes))
        axis.axvline(0, color=GREY, linewidth=1)
        for row, change in enumerate(changes):
            colour = PALETTE[0] if change.established else GREY
            if change.low is not None and change.high is not None:
                axis.plot([change.low, change.high], [row, row], color=colour)
            axis.scatter(
                change.singles, [row] * len(change.singles), s=12, color=PALETTE[1], zorder=2
            )
            face = colour if change.established else "white"
            axis.scatter([change.value], [row], s=40, facecolor=face, edgecolor=colour, zorder=3)
        label_axes(axis, say("plot.points", language), "", language, ".1f")
        axis.xaxis.set_major_formatter(number_ticks("+.1f", language, factor=100))
        _name_rows(axis, [change.label for change in changes])
        axis.set_title(title)
        return write_png(figure)


def _name_rows(axis: Axes, labels: Sequence[str]) -> None:
    """Name the rows, the first on top."""
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")


__all__ = ["DifferenceBar", "component_bars", "difference_bars"]
