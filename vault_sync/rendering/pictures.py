"""The figures of reports, one drawing function per kind.

A figure is redrawn when the code of its function, or code of ours that this names, has changed
(`featherface.source.definitions`). Methods of its arguments are not followed: `inputs` of
`Page.picture` must hold what they return.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult
    from featherface.model_summary.summary_types import Anatomy

CROP = 192
"""Pixels of a side of a crop in a sheet."""


def loss_curves(run: Run, language: str) -> bytes:
    """Draw the loss curves of a run; empty where it did not train."""
    from experiments.plotting import run_plots  # noqa: PLC0415 - matplotlib takes a second to import

    return run_plots.loss_curves(run, language)


def precision_recall(runs: Sequence[Run], language: str) -> bytes:
    """Draw precision against recall of runs on the same data; empty without match records."""
    from experiments.comparison.tables import run_heading  # noqa: PLC0415 - as above
    from experiments.plotting import run_plots  # noqa: PLC0415 - as above
    from experiments.records.run import read_matches  # noqa: PLC0415 - as above

    matches = {run_heading(run, language): read_matches(run.folder) for run in runs}
    records = {label: record for label, record in matches.items() if record is not None}
    return run_plots.precision_recall(records, language, run_plots.caption(runs[0], language))


def size_against_ap(
    runs: Sequence[Run],
    cited: Sequence[CitedResult],
    ends: Mapping[str, tuple[float, float]],
    language: str,
) -> bytes:
    """Draw AP with the ENDS of its intervals against size, published results beside it."""
    from experiments.plotting.pareto import pareto  # noqa: PLC0415 - as above

    return pareto(runs, cited, language=language, ends=ends)


def formats_against_ap(points: Sequence[Mapping[str, Any]], context: str, language: str) -> bytes:
    """Draw AP of exported files against latency and size; POINTS as `format_plots` takes them."""
    from experiments.plotting.format_plots import ap_of_formats  # noqa: PLC0415 - as above

    return ap_of_formats(points, context, language)


def component_bars(
    networks: Mapping[str, Mapping[str, int]], names: Mapping[str, str], language: str
) -> bytes:
    """Draw the parameters of networks by component."""
    from experiments.plotting import bar_plots  # noqa: PLC0415 - as above

    return bar_plots.component_bars(networks, names, language)


def difference_bars(changes: Sequence[Mapping[str, Any]], title: str, language: str) -> bytes:
    """Draw differences from a base; CHANGES hold the fields of the bars of `bar_plots`."""
    from experiments.plotting import bar_plots  # noqa: PLC0415 - as above

    return bar_plots.difference_bars(
        [bar_plots.DifferenceBar(**change) for change in changes], title, language
    )


def network_drawing(anatomy: Anatomy, names: Mapping[str, str], language: str) -> bytes:
    """Draw the stages of a network from the picture to its predictions."""
    from experiments.plotting.network_drawing import draw_network  # noqa: PLC0415 - as above

    return draw_network(anatomy, names, language)


def mistakes(errors: Sequence[dict[str, Any]], look_up: Callable[[], Mapping[str, Path]]) -> bytes:
    """Draw crops of missed faces or false alarms in one sheet; empty where there are none.

    LOOK_UP gives the file of each picture, and is asked only where something is drawn.
    """
    from experiments.inspection.error_gallery import draw_crops  # noqa: PLC0415 - Pillow
    from featherface.inference.crops import sheet  # noqa: PLC0415 - as above

    if not errors:
        return b""
    stream = io.BytesIO()
    sheet(list(draw_crops(list(errors), look_up(), CROP))).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


PICTURES: Mapping[str, Callable[..., bytes]] = {
    "loss-curves": loss_curves,
    "precision-recall": precision_recall,
    "size-against-ap": size_against_ap,
    "formats-against-ap": formats_against_ap,
    "component-bars": component_bars,
    "difference-bars": difference_bars,
    "network-drawing": network_drawing,
    "mistakes": mistakes,
}
"""Kind -> what draws it."""
