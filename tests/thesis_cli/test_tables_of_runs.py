"""Runs and comparisons as they read on a terminal: side by side, conditions once, nothing lost."""

from __future__ import annotations

import re

import pytest

from experiments.conditions import Conditions
from experiments.metrics import KINDS, Metric
from thesis_cli.views.metric_titles import title_of

APS = {"widerface.easy.ap": 0.7, "widerface.hard.ap": 0.5, "widerface.mean_ap": 0.62}
OTHERS = {
    "widerface.hard.recall": 0.48,
    "widerface.hard.precision": 0.91,
    "widerface.recall": 0.53,
    "params.total": 400_000,
    "latency.cpu.median_ms": 40.0,
    "size.fp32_mb": 1.6,
}


@pytest.fixture
def measured(workspace, make_run):
    """A workspace with runs of v1, v2 and v2-ultra, each smaller and less accurate."""
    for place, variant in enumerate(("v1", "v2", "v2-ultra")):
        aps = {name: value - 0.02 * place for name, value in APS.items()}
        others = {name: value * (1 - 0.1 * place) for name, value in OTHERS.items()}
        others["params.total"] = round(others["params.total"])
        make_run(
            workspace, variant, variant=variant, metrics=aps | others, matches=True, seed=place
        )
    return workspace


def row(out, name):
    """Return the cells of the first line that starts with NAME."""
    (line, *_) = (line for line in out.splitlines() if line.startswith(name))
    return re.split(r"\s{2,}", line.strip())


def test_two_runs_stand_side_by_side_at_80_columns(thesis, measured, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = thesis("compare", "v1", "v2", "--resamples", "100", workspace=measured).out
    assert max(map(len, out.splitlines())) <= 80
    assert row(out, "metric") == ["metric", "v1@1", "v2@1", "difference"]
    assert row(out, "AP Hard")[:3] == ["AP Hard", "50.0%", "48.0%"]
    assert row(out, "AP Hard")[3].startswith("−2.0\u00a0pt")
    assert row(out, "Recall Hard") == ["Recall Hard at 0.5", "48.0%", "43.2%", "−4.8\u00a0pt"]
    assert row(out, "Recall at")[0] == "Recall at 0.5, mean of the three"
    assert row(out, "Parameters") == ["Parameters", "400,000", "360,000", "−40,000 (−10.0%)"]
    assert "Differences are from v1@1." in out
    assert "widerface." not in out.split("Synthetic images")[0]


def test_intervals_and_published_values_stand_below(thesis, measured, monkeypatch, valid):
    monkeypatch.setenv("COLUMNS", "100")
    asked = ("compare", "v1", "v2", "--resamples", "100")
    out = thesis(*asked, workspace=measured).out
    intervals = out[out.index("95% interval") : out.index("beside")]
    rows = valid(thesis(*asked, "--json", workspace=measured))["rows"]
    (hard,) = (row["values"]["v2@1"] for row in rows if row["metric"] == "widerface.hard.ap")
    ends = [f"{100 * hard[end]:.1f}" for end in ("low", "high")]
    assert f"[{', '.join(ends)}]" in intervals
    delta = [f"{100 * hard['delta'][end]:.1f}".replace("-", "−") for end in ("low", "high")]
    assert f"[{', '.join(delta)}]" in intervals
    assert "Recall" not in intervals
    assert "Parameters" not in intervals
    beside = out[out.index("beside") :]
    assert row(beside, "Parameters") == ["Parameters", "592,371", "489,000", "256,000"]
    assert not [line for line in beside.splitlines() if line.startswith("AP Hard")]


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_three_runs_lose_nothing_on_a_narrow_terminal(thesis, measured, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = thesis("compare", "v1", "v2", "v2-ultra", "--resamples", "50", workspace=measured).out
    tables = out[: out.index("Synthetic images")]
    assert max(map(len, out.splitlines())) <= columns
    for text in ("400,000", "360,000", "320,000", "−80,000 (−20.0%)", "−0.32 (−20.0%)"):
        assert text in tables
    assert "P(v2@1" in tables
    heads = " ".join(tables.split())
    assert "difference" in heads


def test_keys_of_metrics_are_for_who_asks(thesis, measured):
    for asked in (("compare", "v1", "v2", "--resamples", "0"), ("runs", "show", "v2")):
        assert "widerface.hard.recall" not in thesis(*asked, workspace=measured).out
        assert "widerface.hard.recall" in thesis(*asked, "--verbose", workspace=measured).out


def test_a_run_shows_conditions_once_above_what_shares_them(thesis, measured):
    out = thesis("runs", "show", "v1", workspace=measured).out
    sections = out.splitlines()
    shared = "synthetic val, 80 images, protocol original, measured:"
    assert sections.count(shared) == 1
    at = sections.index(shared)
    shown = [re.split(r"\s{2,}", line.strip()) for line in sections[at + 1 : at + 7]]
    assert shown[:3] == [["AP Easy", "70.0%"], ["AP Hard", "50.0%"], ["Mean AP", "62.0%"]]
    assert shown[3:] == [
        ["Recall Hard at 0.5", "48.0%"],
        ["Precision Hard at 0.5", "91.0%"],
        ["Recall at 0.5, mean of the three", "53.0%"],
    ]
    at = sections.index("640×640, batch 1, 2 threads, measured:")
    assert sections[at + 1].split("  ")[1] == "CPU latency, median"


def test_the_list_names_the_primary_metric_in_its_heading(thesis, measured, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = thesis("runs", "list", workspace=measured).out
    assert row(out, "run") == ["run", "status", "Mean AP", "data", "created"]
    created = "2026-01-02 03:04"
    assert row(out, "v2@1") == ["v2@1", "sealed", "60.0%", "synthetic", created]


def test_makers_stay_in_sight_where_columns_are_narrow(thesis, workspace, make_run, monkeypatch):
    for name in ("v1", "v2"):
        metric = Metric(
            name="widerface.hard.ap",
            value=0.5,
            unit=KINDS["widerface.hard.ap"].unit,
            dataset="synthetic",
            split="val",
            n=8,
            evidence="imported",
            maker="another-detector",
            conditions=Conditions(protocol="original"),
        )
        make_run(workspace, name, metrics=[metric])
    monkeypatch.setenv("COLUMNS", "60")
    out = thesis("compare", "v1", "v2", workspace=workspace).out
    head = out[: out.index("──")]
    assert " ".join(head.split()).count("another-detector") == 2


@pytest.mark.parametrize(
    ("settings", "title"),
    [
        ((), "Recall Hard at 0.5"),
        ((("decision", 0.3),), "Recall Hard at 0.3"),
    ],
)
def test_recall_names_its_score(settings, title):
    taken = Conditions(protocol="original", settings=settings)
    assert title_of("widerface.hard.recall", [taken]) == title


def test_scores_that_differ_are_both_named_and_unknown_ones_are_not():
    taken = [Conditions(protocol="vga", settings=(("decision", each),)) for each in (0.3, 0.5)]
    assert title_of("widerface.precision", taken) == "Precision at 0.3 / 0.5, mean of the three"
    assert title_of("widerface.precision", [Conditions()]) == "Precision, mean of the three"
    assert title_of("widerface.hard.ap", taken) == "AP Hard"
