"""No AP of drawn pictures stands anywhere without saying that it is of drawn pictures."""

from __future__ import annotations

import re

import pytest

from experiments.metrics import AP_METRICS
from experiments.workspace.workspace import Workspace
from vault_sync.reports import REPORTS

LABEL = re.compile(r"synth[eé]ti", re.IGNORECASE)
AP = re.compile(r"\bAP\b")
PERCENTAGE = re.compile(r"\d+(?:[.,]\d+)?\s?%")
STATED = re.compile(r"\b(?:cited|target|goal|cité|objectif|publi|Expected|Attendu)", re.IGNORECASE)
APS = dict(zip(AP_METRICS, (0.6323, 0.6223, 0.6123, 0.6223), strict=True))


def unlabelled(text):
    """Yield the paragraphs and tables with an AP and neither a label nor one right above them.

    What is cited or aimed at, and is not of these runs, is left out by its own word.
    """
    label_above = False
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("#"):
            label_above = False
            continue
        shown = AP.search(paragraph) and PERCENTAGE.search(paragraph)
        labelled = bool(LABEL.search(paragraph))
        if shown and not (labelled or label_above or STATED.search(paragraph)):
            yield paragraph
        label_above = labelled or (label_above and not paragraph.startswith("!["))


def walked(thesis, workspace, name):
    """Give a report as it is asked for: of its block where it is about one run or experiment."""
    about = {"run": "run.v2@2", "progress": "progress.v2", "pipeline": "pipeline.v2"}
    answers = [thesis("report", "show", about.get(name, name), workspace=workspace)]
    if name in ("progress", "pipeline", "performance", "comparison", "baseline", "hypotheses"):
        answers.append(thesis("report", "show", name, "--runs", "v1,v2", workspace=workspace))
    return [answer.out for answer in answers]


@pytest.fixture
def drawn(workspace, make_run, quick_plots):
    """Two versions of a student, their teacher, one that only trained, and one at work."""
    del quick_plots
    teacher = make_run(workspace, "v1", metrics=APS, matches=True, events=True)
    for place in range(2):
        values = {name: value + place / 50 for name, value in APS.items()}
        make_run(workspace, "v2", metrics=values, parents=[teacher], matches=True, seed=place)
    make_run(workspace, "trained-only", metrics={}, variant="v2")
    make_run(workspace, "at-work", status="interrupted", variant="v2")
    return workspace


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_report_gives_an_ap_of_drawn_pictures_without_its_label(thesis, drawn, language):
    spoken = Workspace.open(drawn.root, {"language": language})
    (drawn.root / "thesis.toml").write_text(
        f'title = "A thesis"\nlanguage = "{language}"\n', encoding="utf-8"
    )
    texts = {name: "\n\n".join(walked(thesis, spoken, name)) for name in REPORTS}
    assert not {(name, part) for name, text in texts.items() for part in unlabelled(text)}
    shown = {name for name, text in texts.items() if "64" in text and PERCENTAGE.search(text)}
    assert {"run", "performance", "comparison", "progress", "pipeline", "dashboard"} <= shown


def test_the_walk_sees_an_ap_without_a_label():
    assert list(unlabelled("AP Hard 81.6%"))
    assert list(unlabelled("synthetic\n\n# Next\n\n| AP |\n|--:|\n| 81.6% |"))
    assert not list(unlabelled("**Synthetic data**\n\n| AP |\n|--:|\n| 81.6% |"))


@pytest.mark.parametrize(
    "call",
    [
        ("runs", "list"),
        ("runs", "show", "v2"),
        ("compare", "v1", "v2"),
        ("compare", "v1", "v2", "--format", "md"),
        ("compare", "v1", "v2", "--format", "latex"),
        ("monitor", "v2", "--once"),
        ("monitor", "trained-only", "--once"),
        ("monitor", "at-work", "--once"),
        ("check", "quote", "v2 widerface.hard.ap"),
    ],
)
def test_no_command_prints_an_ap_of_drawn_pictures_without_its_label(thesis, drawn, call):
    answer = thesis(*call, workspace=drawn)
    assert LABEL.search(answer.out + answer.err), answer.out


def test_a_bound_number_of_drawn_pictures_is_told_as_one(thesis, drawn):
    note = drawn.vault / "Talk.md"
    note.write_text("It reaches 63.2 %.\n", encoding="utf-8")
    bind = ("check", "bind", "Talk.md", "63.2 %", "v2 widerface.hard.ap .1%", "--update")
    answer = thesis(*bind, workspace=drawn)
    assert "it comes from synthetic data" in answer.err, answer.err + answer.out
