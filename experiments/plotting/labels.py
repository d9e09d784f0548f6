"""Placing labels beside points so that none covers another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#222222"
CLEARANCE = 5.0
"""Half the side of the square that each point keeps free, in pixels."""
SIDES = ((7, 5, "left"), (7, -6, "left"), (-7, 5, "right"), (-7, -6, "right"))
"""Right above, right below, left above, left below, in points."""


def write_labels(
    figure: Figure, axis: Axes, points: Sequence[tuple[str, float, float]], size: float = 8
) -> None:
    """Write each point's text where it covers no point, no other text and no border.

    Args:
        figure: drawn once to learn how large the texts are.
        axis: in its final limits.
        points: text, x, y in data coordinates, the most important first.
        size: of the letters, in points.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the texts shall not move what they were fitted into
    places = [axis.transData.transform((x, y)) for _, x, y in points]
    taken = [Bbox.from_extents(*(at - CLEARANCE), *(at + CLEARANCE)) for at in places]
    for (text, x, y), at in zip(points, places, strict=True):
        dx, dy, side, box = _free_place(figure, axis, at, _extent(axis, text, size), taken)
        taken.append(box)
        axis.annotate(
            text,
            (x, y),
            xytext=(dx, dy),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=size,
            color=INK,
            arrowprops=_line(dy),
            path_effects=[withStroke(linewidth=3, foreground="white")],  # readable over a line
        )


def _extent(axis: Axes, text: str, size: float) -> tuple[float, float]:
    """Return width and height of TEXT in pixels."""
    label = axis.text(0, 0, text, fontsize=size, transform=axis.transAxes)
    box = label.get_window_extent()
    label.remove()
    return box.width, box.height


def _free_place(
    figure: Figure, axis: Axes, at: Any, extent: tuple[float, float], taken: Sequence[Bbox]
) -> tuple[float, float, str, Bbox]:
    """Return offset in points, alignment and box of the first place that is free."""
    scale = figure.dpi / 72
    width, height = extent
    place: tuple[float, float, str, Bbox] | None = None
    for dx, dy, side in _offsets():
        left = at[0] + dx * scale - (width if side == "right" else 0)
        bottom = at[1] + dy * scale - height / 2
        box = Bbox.from_bounds(left, bottom, width, height)
        free = not any(box.overlaps(other) for other in taken)
        if place is None or (free and _inside(axis.bbox, box)):
            place = (dx, dy, side, box)
        if free and _inside(axis.bbox, box):
            break
    return place or (*SIDES[0], taken[0])


def _offsets() -> Iterator[tuple[float, float, str]]:
    """Yield places around a point, in points: near ones first, then farther up and down."""
    yield from SIDES
    for step in range(1, 9):
        for sign in (1, -1):
            for dx, side in ((9, "left"), (-9, "right")):
                yield dx, sign * (5 + 10 * step), side


def _line(dy: float) -> dict[str, Any] | None:
    """Return a thin line to the point, where the text is away from it."""
    if abs(dy) <= 10:
        return None
    return {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkB": 3}


def _inside(outer: Any, inner: Any) -> bool:
    return bool(outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 <= outer.y1)
