"""Metrics of a run as a table: titles and values, conditions once above those that share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.disturbances import marks_text
from thesis_cli.grid import Grid
from thesis_cli.language import TERMINAL
from thesis_cli.views.metric_titles import title_of
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def conditions_line(metric: dict[str, Any]) -> str:
    """Say on what data a metric was taken, how, on what, and what kind of evidence it is.

    >>> conditions_line({"name": "params.total", "evidence": "measured"})
    'measured'
    """
    parts = [" ".join(part for part in (metric.get("dataset"), metric.get("split")) if part)]
    if images := metric.get("n"):
        parts.append(f"{images:,} {'image' if images == 1 else 'images'}")
        parts[-1] += "" if metric["complete"] else " (part)"
    parts += [setting(metric), evidence(metric)]
    return ", ".join(part for part in parts if part)


def setting(metric: dict[str, Any]) -> str:
    """Tell how a metric was taken, and on which card where that decides it."""
    from experiments.conditions import TIMED
    from experiments.conditions_text import setting as setting_of
    from experiments.earlier_conditions import read_conditions

    on = read_conditions(metric)
    named = metric["name"].startswith(TIMED) and on.device not in ("", "cpu")
    how = setting_of(on)
    how = f"protocol {how}" if on.protocol else how
    return ", ".join(part for part in (how, on.shown() if named else "") if part)


def evidence(metric: dict[str, Any]) -> str:
    """Say what kind of evidence a metric is, and who made what is imported."""
    maker = f" from {metric['maker']}" if metric.get("maker") else ""
    return f"{metric['evidence']}{maker}"


def marked(metric: dict[str, Any]) -> str:
    """Word a metric's value with its marks in brackets."""
    marks = marks_text(tuple(metric.get("marks", ())), TERMINAL)
    value = quantity(metric["value"], metric["unit"])
    return f"{value} ({marks})" if marks else value


def metrics_grid(
    metrics: Iterable[dict[str, Any]], facts: Mapping[str, str], *, verbose: bool = False
) -> Grid:
    """Tabulate metrics in words, their conditions once above those that share them.

    FACTS stand above all; VERBOSE: the metrics' keys too.
    """
    from experiments.earlier_conditions import read_conditions

    shared: dict[str, list[list[str]]] = {}
    for metric in metrics:
        title = title_of(metric["name"], [read_conditions(metric)])
        row = [f"  {title}", marked(metric), *([metric["name"]] if verbose else [])]
        shared.setdefault(conditions_line(metric), []).append(row)
    rows: list[list[str]] = []
    sections = {}
    for told, those in shared.items():
        sections[len(rows)] = f"{told}:"
        rows += those
    columns = ["metric", ">value", *(["key"] if verbose else [])]
    return Grid(columns, rows, facts, sections)
