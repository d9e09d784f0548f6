"""Sentences that a report says by itself hold for extreme records too."""

import re

import pytest

from experiments.workspace.workspace import Workspace
from vault_sync.content.catalogue import show as show_block
from vault_sync.rendering.words import Words
from vault_sync.reports.sections.trends import remarks


def show(workspace, block):
    return show_block(workspace, block, {}).text


def epochs_of(losses, scores):
    """Make epochs of LOSSES; SCORES: epoch -> mean AP."""
    return [
        {"epoch": at, "loss": loss, **({"mean_ap": scores[at]} if at in scores else {})}
        for at, loss in enumerate(losses, 1)
    ]


class _Page:
    """What the remarks need of a page."""

    def __init__(self, words):
        self.words = words


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "distill",
    [
        {},
        {"distill.alpha": 0.5, "distill.teacher": "v1"},
        {"distill.alpha": 0.5, "distill.teacher": "v1", "distill.soft_weight": 0.3},
    ],
)
def test_every_symbol_of_the_loss_is_defined_beside_it(tmp_path, make_run, language, distill):
    workspace = Workspace.create(tmp_path / "thesis", language=language)
    make_run(workspace, recipe=distill)
    text = show(workspace, "protocol")
    (formula,) = re.findall(r"\$\$(.+?)\$\$", text)
    prose = text.replace(formula, "")
    symbols = set(re.findall(r"(?:L|T)_\{\\text\{\w+\}\}|\\lambda'?_\w|\\alpha", formula))
    assert len(symbols) >= 5
    assert {symbol for symbol in symbols if f"${symbol}$" not in prose} == set()
    defined = set(re.findall(r"\$([^$]+)\$", prose.replace("$$$$", "")))
    assert {one for one in defined if one not in formula and one != "L"} == set()
    assert bool(distill) == ("alpha" in formula)


def test_a_loss_of_further_terms_is_told(workspace, make_run):
    make_run(workspace, recipe={"distill.teacher": "v1", "distill.feature_weight": 1.0})
    assert "[[v1@1]] add further terms" in show(workspace, "protocol")


@pytest.mark.parametrize(
    ("losses", "scores", "said", "unsaid"),
    [
        ([2.0] * 5, {}, "The loss rose at no epoch", "fell at every epoch"),
        ([0.0] * 5, {}, "", "%"),
        ([3, 2, 1, 0.5], {1: 0.6, 4: 0.5995}, "highest at epoch 1", "highest at the end"),
        ([3, 2, 1, 0.5], {1: 0.5, 4: 0.6}, "highest at the end", "highest at epoch"),
    ],
)
def test_a_course_is_not_called_what_it_was_not(workspace, make_run, losses, scores, said, unsaid):
    run = make_run(workspace)
    text = "\n".join(remarks(_Page(Words("en")), run, epochs_of(losses, scores)))
    assert said in text
    assert unsaid not in text
