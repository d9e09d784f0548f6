"""Plots of a data set: heights of faces, faces per picture, attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import NullFormatter

from experiments.plotting.style import (
    GREY,
    PALETTE,
    label_axes,
    make_figure,
    number_ticks,
    styled,
    write_png,
)
from experiments.wording.catalogue import find
from experiments.wording.numbers import format_number
from experiments.wording.phrases import say
from featherface.data.annotation import ATTRIBUTES, UNKNOWN
from featherface.data.statistics import count_crowds
from featherface.evaluation.ground_truth import HEIGHTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featherface.data.widerface import Split

TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
SHADES = ("#0072B2", "#56B4E9", "#D55E00")
UNSURE = "#BBBBBB"


def draw_statistics(split: Split, language: str = "en") -> dict[str, bytes]:
    """Return name -> PNG: `heights`, `faces-per-image`, `attributes`; empty without any face."""
    if not split.annotations.faces:
        return {}
    with styled():
        drawn = {
            "heights": _draw_heights(split, language),
            "faces-per-image": _draw_crowds(split, language),
            "attributes": _draw_attributes(split, language),
        }
        return {name: write_png(figure) for name, figure in drawn.items()}


def _draw_heights(split: Split, language: str) -> Figure:
    boxes = np.concatenate([image.boxes for image in split.images])
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1)
    figure, (axis,) = make_figure(1)
    top = max(2.0, float(heights.max()))
    # Heights are whole pixels: narrower bins would be empty in turn.
    edges = np.unique(np.rint(np.geomspace(1, top + 1, 41))) - 0.5
    axis.hist(heights, bins=edges.tolist(), color=PALETTE[0])
    axis.set_xscale("log")
    for subset, edge in HEIGHTS.items():
        axis.axvline(edge, color=GREY, linewidth=0.8, linestyle=":")
        words: dict[str, Any] = {
            "rotation": 90,
            "ha": "right",
            "va": "top",
            "fontsize": 7.5,
            "color": GREY,
        }
        axis.text(edge, 0.98, subset.title(), transform=axis.get_xaxis_transform(), **words)
    title = say("data_plot.heights", language)
    names = [say(f"data_plot.{name}_axis", language) for name in ("height", "faces")]
    label_axes(axis, names[0], names[1], language)
    axis.set_xticks([tick for tick in TICKS if tick <= top])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(left=0.8)
    return _finish(figure, axis, title, split, language)


def _draw_crowds(split: Split, language: str) -> Figure:
    counts = count_crowds(np.array([len(image.boxes) for image in split.images]))
    figure, (axis,) = make_figure(1)
    axis.bar(list(counts), list(counts.values()), color=PALETTE[0])
    axis.grid(visible=False, axis="x")
    axis.set_xlabel(say("data_plot.crowd_axis", language))
    axis.set_ylabel(say("data_plot.pictures_axis", language))
    axis.yaxis.set_major_formatter(number_ticks(",.0f", language))
    for place, count in enumerate(counts.values()):
        shown = format_number(count, ",", language)
        axis.annotate(shown, (place, count), ha="center", va="bottom", fontsize=8)
    return _finish(figure, axis, say("data_plot.crowds", language), split, language)


def _draw_attributes(split: Split, language: str) -> Figure:
    """Draw a bar per attribute, parted by its values, each named in its part."""
    values = np.concatenate([image.attributes for image in split.images])
    figure, (axis,) = make_figure(1, width=7.2, height=3.4)
    for row, name in enumerate(ATTRIBUTES):
        left = 0.0
        codes, counts = np.unique(values[:, row], return_counts=True)
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
            share = count / len(values)
            colour = UNSURE if code == UNKNOWN else SHADES[code % len(SHADES)]
            axis.barh([row], [share], left=left, color=colour, edgecolor="white")
            if share > 0.13:
                text = f"{_value(name, code, language)} {format_number(share, '.0%', language)}"
                dark = "white" if colour == SHADES[0] else "black"
                axis.text(
                    left + share / 2, row, text, ha="center", va="center", fontsize=7.5, color=dark
                )
            left += share
    axis.set_xlim(0, 1)
    names = [say(f"data_plot.{name}", language) for name in ATTRIBUTES]
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(ATTRIBUTES) - 0.5, -0.5)
    axis.grid(visible=False)
    axis.set_xlabel(say("data_plot.share_axis", language))
    axis.xaxis.set_major_formatter(number_ticks(".0%", language))
    return _finish(figure, axis, say("data_plot.attributes", language), split, language)


def _value(name: str, code: int, language: str) -> str:
    """Word an attribute's code; one that WIDER FACE does not know is itself."""
    if code == UNKNOWN:
        return say("data_plot.unknown", language)
    return find("data_plot", f"{name}_{code}", language) or str(code)


def _finish(figure: Figure, axis: Axes, title: str, split: Split, language: str) -> Figure:
    axis.set_title(title)
    kind = say(f"data_plot.kind_{split.kind}", language)
    counts = {"images": len(split.images), "faces": split.annotations.faces}
    on = say("data_plot.on", language, kind=kind, split=split.name, **counts)
    figure.supxlabel(on, fontsize=8, color=GREY)
    return figure
