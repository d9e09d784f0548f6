"""The style of every plot: colours, sizes, axes, and reproducible PNG bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.disturbances import marked
from experiments.metrics import SYNTHETIC
from experiments.wording.numbers import format_number
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from experiments.metrics import Metric

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito, 2008: told apart by colour-blind readers too."""
GREY = "#6E6E6E"
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "thesis",
}


def styled() -> Any:
    """Forget the user's matplotlibrc, so that plots are the same everywhere."""
    return mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "backend": "agg"})


def make_figure(columns: int, width: float = 0.0, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many COLUMNS of axes; WIDTH and HEIGHT in inches."""
    wide = width or {1: 6.0, 2: 8.6, 3: 9.6}[columns]
    figure = Figure(figsize=(wide, height), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns, squeeze=False)
    return figure, list(axes[0])


def line_look(place: int) -> dict[str, Any]:
    """Return colour and dashes of the line at PLACE."""
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": DASHES[place % len(DASHES)]}


def label_axes(
    axis: Axes, x: str, y: str, language: str, x_spec: str = "", y_spec: str = ""
) -> None:
    """Name both axes and word their numbers."""
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    if not x_spec:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for side, spec in ((axis.xaxis, x_spec or ",.0f"), (axis.yaxis, y_spec or ".3g")):
        side.set_major_formatter(number_ticks(spec, language))


def number_ticks(spec: str, language: str, factor: float = 1.0) -> FuncFormatter:
    """Return what words the ticks of an axis, times FACTOR, by SPEC as `format_number` does."""

    def word(value: float, _: int | None) -> str:
        # A tick is a sum of steps, which may miss zero by a rounding error.
        return format_number(round(factor * value, 9), spec, language)

    return FuncFormatter(word)


def say_context(ap: Metric, language: str) -> str:
    """Word what AP was measured on, with its marks."""
    key = "note.data-whole" if ap.complete else "note.data-partial"
    key = "note.data-synthetic" if ap.dataset == SYNTHETIC else key
    if key == "note.data-whole" and not ap.n:
        key = "plot.context"
    values = {"dataset": ap.dataset, "split": ap.split, "n": ap.n, "protocol": ap.protocol}
    return say(key, language, **values) + marked(ap, language=language)


def write_png(figure: Figure) -> bytes:
    """Return the bytes of FIGURE, the same for the same content."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
