"""The plots of runs: PNG bytes, the same for the same numbers, in English or French."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.comparison.tables import run_heading
from experiments.metrics import SUBSETS
from experiments.plotting.style import (
    DASHES,
    GREY,
    label_axes,
    line_look,
    make_figure,
    say_context,
    styled,
    write_png,
)
from experiments.wording.numbers import format_number
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from experiments.plotting.published_curves import PublishedCurve
    from experiments.records.run import Run
    from featherface.evaluation.matches import MatchRecords

LOSS_PARTS = {"box": "box_weight", "face": "", "landmark": "landmark_weight"}
"""Parts of the loss that get a line of their own, as training events call them, and the recipe's
key of their weight: they are drawn as they count in the total."""
TEACHER_PARTS = {
    "teacher_box": "box_weight",
    "teacher_soft": "",
    "teacher_landmark": "landmark_weight",
}
"""The same of the distillation loss."""


def loss_curves(run: Run, language: str = "en") -> bytes:
    """Draw RUN's training loss and its parts by epoch, and the AP that was measured meanwhile.

    Returns:
        PNG bytes; empty where the run did not train.
    """
    epochs = run.events("epoch")
    if not epochs:
        return b""
    scored = [event for event in epochs if "mean_ap" in event]
    with styled():
        figure, axes = make_figure(2 if len(scored) > 1 else 1)
        at = [event["epoch"] for event in epochs]
        marker = "o" if len(at) < 30 else ""
        for place, (label, values) in enumerate(_losses(run, epochs, language)):
            look = line_look(place) | {"marker": marker, "markersize": 3}
            axes[0].plot(at, values, label=label, **look)
        label_axes(axes[0], say("plot.epoch", language), say("plot.loss_axis", language), language)
        axes[0].set_title(say("plot.loss_title", language, run=run.id))
        axes[0].set_ylim(bottom=0)
        _key_below(axes[0])
        if len(scored) > 1:
            _draw_scores(axes[1], scored, language)
            if on := caption(run, language):
                axes[1].set_title(f"{say('plot.ap_title', language)}\n{on}", fontsize=9)
        return write_png(figure)


def _losses(
    run: Run, epochs: Sequence[Mapping[str, Any]], language: str
) -> list[tuple[str, list[float]]]:
    """Return label and values of the lines: the total, and what adds up to it."""
    lines = [(say("plot.loss", language), [float(event["loss"]) for event in epochs])]
    train, distill = run.recipe.get("train", {}), run.recipe.get("distill", {})
    if all("taught" in event for event in epochs):  # weights that change from epoch to epoch
        taught = [float(event["taught"]) for event in epochs]
        rest = [total - part for total, part in zip(lines[0][1], taught, strict=True)]
        return [*lines, (say("plot.truth", language), rest), (say("plot.taught", language), taught)]
    if all(name in event for event in epochs for name in TEACHER_PARTS):
        alpha = float(distill.get("alpha", 0.5))
        sides = (
            ("plot.truth", LOSS_PARTS, train, 1 - alpha),
            ("plot.taught", TEACHER_PARTS, distill, alpha),
        )
        for word, parts, config, share in sides:
            weights = {name: float(config.get(key, 1)) for name, key in parts.items()}
            sums = [sum(w * event[name] for name, w in weights.items()) for event in epochs]
            label = _weighted(say(word, language), share, language)
            lines.append((label, [share * value for value in sums]))
        return lines
    for name, key in LOSS_PARTS.items():
        if all(name in event for event in epochs):
            weight = float(train.get(key, 1))
            label = _weighted(say(f"plot.{name}", language), weight, language)
            lines.append((label, [weight * event[name] for event in epochs]))
    return lines


def _weighted(label: str, weight: float, language: str) -> str:
    """Say in a part's LABEL that its values are shown times its WEIGHT."""
    if weight == 1:
        return label
    return f"{label} × {format_number(weight, '.3f', language).rstrip('0').rstrip('.,')}"


def precision_recall(
    records: Mapping[str, MatchRecords],
    language: str = "en",
    caption: str = "",
    published: Mapping[str, Mapping[str, PublishedCurve]] | None = None,
) -> bytes:
    """Draw precision against recall on Easy, Medium and Hard, one line per label of RECORDS.

    CAPTION says on what: data set, split, images. PUBLISHED curves (method -> subset -> curve)
    are drawn thin beside them. Empty bytes where no record of RECORDS holds a detection.
    """
    if not any(_has_curve(record) for record in records.values()):
        return b""
    with styled():
        lines = len(records) + len(published or {})
        figure, axes = make_figure(len(SUBSETS), height=3.2 + 0.18 * lines)
        for axis, subset in zip(axes, SUBSETS, strict=True):
            for place, (label, record) in enumerate(records.items()):
                if subset not in record.subsets or not record.subsets[subset].faces.sum():
                    continue
                precision, recall = record.curve(subset)
                ap = format_number(record.ap(subset), ".1%", language)
                shown = precision + recall > 0
                axis.plot(
                    recall[shown], precision[shown], label=f"{label} (AP {ap})", **line_look(place)
                )
            _draw_published(axis, subset, published or {}, language)
            axis.set_xlim(0, 1)
            axis.set_ylim(0, 1.02)
            axis.set_title(subset.title())
            label_axes(axis, say("plot.recall", language), "", language, ".1f", ".1f")
            if axis.get_legend_handles_labels()[0]:
                axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=8)
        axes[0].set_ylabel(say("plot.precision", language))
        if caption:
            figure.supxlabel(caption, fontsize=8, color=GREY)
        return write_png(figure)


def _has_curve(record: MatchRecords) -> bool:
    """Whether RECORD holds a detection of a subset with faces: else there is no curve to draw."""
    for subset, counts in record.subsets.items():
        precision, recall = record.curve(subset)
        if counts.faces.sum() and (precision + recall > 0).any():
            return True
    return False


def _draw_published(
    axis: Axes, subset: str, published: Mapping[str, Mapping[str, PublishedCurve]], language: str
) -> None:
    """Draw what others published, thin and in grey tones, its AP in the key."""
    for place, (method, curves) in enumerate(published.items()):
        if subset not in curves:
            continue
        curve = curves[subset]
        ap = format_number(curve.ap, ".1%", language)
        shown = curve.precision + curve.recall > 0
        look: dict[str, Any] = {
            "color": GREYS[place % len(GREYS)],
            "linestyle": DASHES[place % len(DASHES)],
        }
        label = say("comparison.cited", language, title=f"{method} (AP {ap})")
        axis.plot(curve.recall[shown], curve.precision[shown], label=label, linewidth=1, **look)


GREYS = ("#444444", "#777777", "#9A9A9A", "#5B6770", "#8C7B6B")
"""Of published curves."""


def caption(run: Run, language: str = "en") -> str:
    """Return what RUN was evaluated on, for the foot of a plot.

    Of a run without an evaluation only that its pictures are drawn can be told, where they are.
    """
    ap = next((metric for metric in run.metrics if metric.name.endswith(".ap")), None)
    if ap is not None:
        return say_context(ap, language)
    return say("data_plot.kind_synthetic", language) if run.on_drawn_pictures else ""


def draw_record(run: Run, language: str = "en") -> dict[str, bytes]:
    """Return name -> PNG of the plots that RUN's own record holds."""
    matches = run.matches()
    records = {run_heading(run, language): matches} if matches is not None else {}
    drawn = {
        "loss_curves": loss_curves(run, language),
        "precision_recall": precision_recall(records, language, caption(run, language)),
    }
    return {name: png for name, png in drawn.items() if png}


def _draw_scores(axis: Axes, scored: Sequence[Mapping[str, Any]], language: str) -> None:
    """Draw the APs measured during training."""
    at = [event["epoch"] for event in scored]
    for place, name in enumerate(("mean_ap", *SUBSETS)):
        if all(name in event for event in scored):
            label = say("plot.mean", language) if name == "mean_ap" else name.title()
            values = [event[name] for event in scored]
            axis.plot(at, values, label=label, marker="o", markersize=3, **line_look(place))
    label_axes(
        axis, say("plot.epoch", language), say("plot.ap_axis", language), language, y_spec=".0%"
    )
    axis.set_title(say("plot.ap_title", language))
    axis.set_ylim(0, 1)
    _key_below(axis)


def _key_below(axis: Axes) -> None:
    """Put the key below AXIS and its label, where no curve runs."""
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=8)
