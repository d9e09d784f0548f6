"""The terminal's table of a comparison and the vault's hold the same cells in the same order."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from experiments.comparison.compare import compare
from experiments.comparison.tables import metrics_table, seeds_table
from experiments.metrics import Metric
from experiments.records.store import Store
from experiments.wording.tables import plain
from experiments.workspace.workspace import Workspace
from vault_sync.rendering.figures import Figures
from vault_sync.rendering.links import Links, LinkStyle
from vault_sync.rendering.page import Page
from vault_sync.rendering.sources import Sources
from vault_sync.reports.sections.comparison_cache import compared
from vault_sync.reports.sections.differences import side_by_side
from vault_sync.reports.sections.seeds import seeds

EXTRA = [
    Metric(name="memory.peak_mb", value=61.25, unit="MB"),
    Metric(name="export.onnx.parity", value=2.4e-6),
    Metric(name="train.loss", value=0.00001),
    Metric(name="own.score", value=1234.5678),
    Metric(name="own.zero", value=0.0),
]


@pytest.fixture(params=["en", "fr"])
def workspace(tmp_path, request):
    return Workspace.create(tmp_path / "thesis", language=request.param)


def page(workspace):
    """Return the page of a block; the records must be there already."""
    sources = Sources(workspace)
    places = {f"run/{run.id}": f"Runs/{run.id}.md" for run in sources.sealed}
    style = LinkStyle()
    figures = Figures(workspace.state / "figures", style, workspace.language)
    return Page(sources, Links("Note.md", style, places), figures, "comparison", {})


@pytest.fixture
def runs(workspace, make_run):
    first = make_run(workspace, "v1", matches=True)
    metrics = [*first.metrics, *EXTRA]
    found = [make_run(workspace, "v1", matches=True, metrics=metrics)]
    changed = [
        Metric(**(vars(one) | {"value": one.value * factor}))
        for one, factor in zip(metrics, np.linspace(0.7, 1.2, len(metrics)), strict=True)
    ]
    aps = [one.value for one in changed if one.name.endswith(".ap")]
    place = next(place for place, one in enumerate(changed) if one.name == "widerface.mean_ap")
    changed[place] = dataclasses.replace(changed[place], value=sum(aps) / len(aps))
    found.append(make_run(workspace, "v2", seed=6, matches=True, metrics=changed))
    return found


def cells(markdown: str) -> list[list[str]]:
    """Return the body of a Markdown table, each cell as the terminal would print it."""
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    lines = [line[2:-2].split(" | ") for line in rows[2:]]
    return [[as_printed(cell) for cell in line] for line in lines]


def as_printed(cell: str) -> str:
    """Take the vault's typography from CELL: bold, links, words and units."""
    cell = re.sub(r"\*\*(.+?)\*\*", r"\1*", cell).replace("[[", "").replace("]]", "")
    cell = re.sub(r"\s\(([^()\s]+)\s(?:to|à)\s([^()\s]+)\)", r" [\1, \2]", cell)
    return in_common(cell)


def in_common(cell: str) -> str:
    """Return CELL with one kind of space, minus and separator, and no unit that a title says."""
    cell = re.sub(r"[\u00a0\u202f]", " ", cell).replace("\u2212", "-").replace(" ; ", ", ")
    cell = re.sub(r"(?<=\d) (?=\d{3}\b)", ",", cell)
    cell = re.sub(r" (?:ms|MB|Mo)\b", "", cell)
    cell = re.sub(r" pt([*†]?)", r"\1 pt", cell)  # the vault marks the number and its unit
    cell = re.sub(r"(?<=\d) %", "%", cell)
    return {"not measured": "–", "non mesuré": "–", "non mesurée": "–"}.get(cell, cell)


def printed(table, language, columns):
    rows = [[in_common(plain(cell, language)) for cell in row[:columns]] for row in table.rows]
    return [[re.sub(r" pt([*†])", r"\1 pt", cell) for cell in row] for row in rows]


def test_metrics_are_the_same_cell_by_cell(workspace, runs):
    language, count = workspace.language, 2 * len(runs)
    found = compare(runs, store=Store(workspace))
    terminal = printed(metrics_table(found, language), language, count)
    block = page(workspace)
    vault = cells(side_by_side(block, runs, compared(block, runs)["rows"]))
    titles = [re.sub(r" \((?:ms|MB|Mo)\)$", "", row[0]) for row in terminal]
    assert [row[0] for row in vault] == titles
    assert [row[1:] for row in vault] == [row[1:] for row in terminal]
    marks = {cell[1] for row in terminal for cell in re.findall(r"(\d)([*†])", row[-1])}
    assert "*" in marks


def test_seeds_are_the_same_cell_by_cell(workspace, make_run):
    language = workspace.language
    runs = [make_run(workspace, "v1", seed=seed) for seed in range(5)]
    other = make_run(workspace, "v2", seed=0)
    found = compare([runs[0], runs[1], other], store=Store(workspace), resamples=0)
    table = seeds_table(found, language)
    vault = cells(seeds(page(workspace), [runs[0], runs[1], other])["table"])
    assert printed(table, language, len(table.columns)) == vault
    assert len(vault) == 5 + 1 + 1
