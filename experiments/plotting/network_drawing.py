"""Drawing of a network: its stages from top to bottom, its three levels side by side."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from experiments.plotting.style import GREY, PALETTE, styled
from experiments.wording.numbers import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from featherface.model_summary.summary_types import Anatomy, FieldLevel, StageSummary

FORMS = ("png", "svg", "pdf")
"""Kinds of picture files."""
WIDTH = 7.0
"""Inches, the text width of a page; every length below is in inches too."""
ROW, BOX = 0.56, 0.34
"""From one stage to the next; height of a box."""
GUTTER, RIGHT = 2.25, 6.6
"""Where the boxes begin and end; names stand to the left."""
GAP = 0.12
"""Between two levels."""
ROOM = 0.34
"""More room below the backbone, where the maps get their names."""
COLOURS = {
    "backbone": PALETTE[0],
    "neck": PALETTE[2],
    "context": PALETTE[3],
    "heads": PALETTE[1],
    "laterals": PALETTE[2],
    "recycling": PALETTE[2],
    "scale_fusion": PALETTE[2],
    "enhancement": PALETTE[3],
    "shuffle": PALETTE[3],
}
ATTENTION = PALETTE[4]


@dataclass
class _Canvas:
    axis: Axes
    language: str
    names: Mapping[str, str]
    levels: Sequence[FieldLevel]
    centres: list[float] = field(default_factory=list)
    """Middle of each level's column."""


def draw_network(
    anatomy: Anatomy, names: Mapping[str, str], language: str = "en", form: str = "png"
) -> bytes:
    """Draw the way of a picture through a network.

    Args:
        anatomy: what the network is made of.
        names: of stages, of blocks (`block cbam`) and of `picture`, `parameters`, `boxes`,
            `classes`, `landmarks`, and `level`, which holds `{level}` and `{stride}`.
        language: of the numbers.
        form: one of `FORMS`.

    Returns:
        The bytes of a file, the same for the same input.
    """
    rows = len(anatomy.stages) + 2
    height = rows * ROW + ROOM + 0.1
    with styled():
        figure = Figure(figsize=(WIDTH, height), dpi=160)
        FigureCanvasAgg(figure)
        axis = figure.add_axes((0, 0, 1, 1))
        axis.set(xlim=(0, WIDTH), ylim=(height, 0))
        axis.axis("off")
        wide = (RIGHT - GUTTER - 2 * GAP) / 3
        centres = [GUTTER + wide / 2 + level * (wide + GAP) for level in range(3)]
        _draw(_Canvas(axis, language, names, anatomy.fields, centres), anatomy)
        return _written(figure, form)


def _draw(canvas: _Canvas, anatomy: Anatomy) -> None:
    y = 0.1 + BOX / 2
    _box(canvas, y, None, f"{anatomy.height}×{anatomy.width}×3", "white")
    _name(canvas, y, canvas.names["picture"], "")
    start, counts = 0.0, _counts(anatomy)
    for stage in anatomy.stages:
        above, y = y, y + ROW + (ROOM if start == y else 0.0)
        _arrows(canvas, above, y, (0, 1, 2) if stage.name != "backbone" else (1,))
        _stage(canvas, y, stage, counts.get(stage.name, 0), anatomy.parameters)
        if stage.name == "backbone":
            start = y
            _label_maps(canvas, y)
        elif stage.skips:
            _skip(canvas, start, y)
    below = y + ROW
    _arrows(canvas, y, below, (0, 1, 2))
    anchors = format_number(sum(level.count for level in anatomy.anchors), ",", canvas.language)
    said = ", ".join(
        f"{canvas.names[task]} ×{numbers}"
        for task, numbers in (("boxes", 4), ("classes", 2), ("landmarks", 10))
    )
    _box(canvas, below, None, said, "white")
    _name(canvas, below, f"{anchors} {canvas.names['anchors']}", "")


def _counts(anatomy: Anatomy) -> dict[str, int]:
    """Return the parameters of each stage as tables of components count them.

    Those of the laterals are the neck's there.
    """
    counts = {stage.name: stage.parameters for stage in anatomy.stages}
    if "neck" in counts:
        counts["neck"] += counts.pop("laterals", 0)
    return counts


def _stage(canvas: _Canvas, y: float, stage: StageSummary, count: int, total: int) -> None:
    """Draw one box, or one per level, what it is called, and its COUNT of all TOTAL parameters."""
    colour = COLOURS.get(stage.name, ATTENTION)
    times = f" ×{stage.times}" if stage.times > 1 else ""
    text = f"{_named(stage.block, canvas.names)}{times}"
    for level in (None,) if stage.joint else (0, 1, 2):
        _box(canvas, y, level, text, colour)
    share = ""
    if count:
        counted = format_number(count, ",", canvas.language)
        part = format_number(count / total, ".1%", canvas.language)
        share = f"{counted} {canvas.names['parameters']} ({part})"
    _name(canvas, y, canvas.names[stage.name], share)


def _box(canvas: _Canvas, y: float, level: int | None, text: str, colour: str) -> None:
    wide = (RIGHT - GUTTER - 2 * GAP) / 3
    left = GUTTER if level is None else canvas.centres[level] - wide / 2
    width = RIGHT - GUTTER if level is None else wide
    face: Any = "white" if colour == "white" else (colour, 0.18)
    edge = GREY if colour == "white" else colour
    canvas.axis.add_patch(
        FancyBboxPatch(
            (left, y - BOX / 2),
            width,
            BOX,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=face,
            edgecolor=edge,
            linewidth=1.2,
        )
    )
    size = next((points for points in (8.0, 7.0, 6.0) if len(text) * points * 0.0088 < width), 5.2)
    canvas.axis.text(left + width / 2, y, text, ha="center", va="center", fontsize=size)


def _name(canvas: _Canvas, y: float, name: str, below: str) -> None:
    look: dict[str, Any] = {"ha": "right", "x": GUTTER - 0.15}
    shift = 0.08 if below else 0.0
    canvas.axis.text(y=y - shift, s=name, va="center", fontsize=8, fontweight="bold", **look)
    if below:
        canvas.axis.text(y=y + 0.09, s=below, va="center", fontsize=7, color=GREY, **look)


def _arrows(canvas: _Canvas, above: float, below: float, levels: Sequence[int]) -> None:
    for level in levels:
        x = canvas.centres[level]
        _arrow(canvas, (x, above + BOX / 2), (x, below - BOX / 2))


def _arrow(canvas: _Canvas, start: tuple[float, float], end: tuple[float, float]) -> None:
    canvas.axis.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=8,
            color=GREY,
            linewidth=1,
            shrinkA=0,
            shrinkB=0,
        )
    )


def _label_maps(canvas: _Canvas, y: float) -> None:
    """Name the three maps that leave the backbone."""
    for x, level in zip(canvas.centres, canvas.levels, strict=True):
        title = canvas.names["level"].format(level=level.level, stride=level.stride)
        size = f"{level.height}×{level.width}×{level.backbone_channels}"
        look: dict[str, Any] = {"ha": "left", "va": "center", "fontsize": 7}
        canvas.axis.text(x + 0.07, y + BOX / 2 + 0.13, title, **look)
        canvas.axis.text(x + 0.07, y + BOX / 2 + 0.26, size, color=GREY, **look)


def _skip(canvas: _Canvas, above: float, below: float) -> None:
    """Lead the finest map past attention and neck, along the right side."""
    x = RIGHT + 0.2
    canvas.axis.plot([RIGHT, x, x], [above, above, below], color=GREY, linewidth=1)
    canvas.axis.text(x + 0.04, above, "P3", ha="left", va="center", fontsize=7)
    _arrow(canvas, (x, below), (RIGHT, below))


def _written(figure: Figure, form: str) -> bytes:
    stream = io.BytesIO()
    unsaid = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure.savefig(stream, format=form, metadata=unsaid[form])
    return stream.getvalue()


def _named(block: str, names: Mapping[str, str]) -> str:
    """Return what a block is called: as a whole, else each of the parts that it is the sum of."""
    whole = names.get(f"block {block}")
    return whole or " + ".join(names.get(f"block {part}", part) for part in block.split(" + "))
