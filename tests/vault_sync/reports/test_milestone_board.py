"""The milestone board: state, value with interval, its run, why, and what changed."""

import dataclasses

import pytest
from stand_ins.markdown_samples import unpadded

from experiments.records.seal import seal
from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync

BOARD = "05-Results/Milestones.md"
CLAIMS = """
[milestones.close]
title = "Just above"
titre = "Tout juste au-dessus"
dataset = "synthetic"
predicate = "v2 widerface.hard.ap >= {limit}"
[milestones.old]
predicate = "v1 params.total < 500_000"
[milestones.cited]
predicate = "yunet-n params.total < 100_000"
evidence = ["cited"]
"""
NARROW = "\u202f"


@pytest.fixture
def board(tmp_path, make_run, quick_plots):
    """Sync a workspace whose claims are near, stale and cited; give the board's rows."""

    def make(language):
        workspace = Workspace.create(tmp_path / language, language=language)
        workspace.vault.mkdir()
        old = make_run(workspace, "v1", metrics={"params.total": 488_664})
        dataclasses.replace(old.record, code="0" * 64).write(old.folder)
        seal(old.folder)
        scores = make_run(workspace, "scores", matches=True, seed=6).matches()
        metrics = {"widerface.hard.ap": scores.ap("hard"), "params.total": 256_006}
        make_run(workspace, "v2", metrics=metrics, matches=True, seed=6)
        with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
            file.write(CLAIMS.format(limit=f"{scores.ap('hard') - 0.001:.6f}"))
        return Workspace.open(workspace.root)

    return make


def rows(workspace):
    assert sync(workspace).refused == []
    text = unpadded((workspace.vault / BOARD).read_text(encoding="utf-8"))
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {line[0].partition("<br>")[0]: line for line in lines}


def test_a_claim_that_barely_holds(board):
    row = rows(board("en"))["Just above"]
    assert row[1] == "**reached**, but not at the lower end of the interval"
    assert row[2].startswith("[[v2@1]]: AP Hard ")
    assert row[2].endswith(" (b)")  # which several rows say
    assert "\u00a0to\u00a0" in row[2]
    assert "passes, but the lower bound does not" in row[3]


def test_a_claim_that_barely_holds_in_french(board):
    row = rows(board("fr"))["Tout juste au-dessus"]
    assert row[1] == "**atteint**, mais pas à la borne basse de l'intervalle"
    assert row[2].startswith(f"[[v2@1]]{NARROW}: AP Hard ")
    assert f"95{NARROW}%" in row[3]
    assert "." not in row[3].replace("v2@1", "")


@pytest.mark.parametrize(
    ("language", "state", "why"),
    [
        ("en", "to be measured again", "v1@1 keeps no probes (network)"),
        ("fr", "à mesurer de nouveau", "v1@1 ne garde pas de sondes (network)"),
    ],
)
def test_a_stale_claim_says_what_changed(board, language, state, why):
    workspace = board(language)
    row = rows(workspace)["`old`"]
    assert row[1] == state
    text = (workspace.vault / BOARD).read_text(encoding="utf-8")
    letter, _, _ = row[3].partition("<br>")  # other claims are stale for the same reason
    assert f"\n- {letter} {why}" in text


def test_a_cited_value_says_so(board):
    row = rows(board("en"))["`cited`"]
    assert row[1:3] == ["**reached**", "yunet-n: Parameters 75,856 (cited)"]


@pytest.mark.parametrize(
    ("language", "claim", "names"),
    [
        ("en", "Parameters: below 500,000 (v1)", "`close` (Just above), `old` and `cited`"),
        (
            "fr",
            f"Paramètres{NARROW}: moins de 500{NARROW}000 (v1)",
            "`close` (Tout juste au-dessus), `old` et `cited`",
        ),
    ],
)
def test_claims_are_said_in_words_and_named_at_the_end(board, language, claim, names):
    workspace = board(language)
    rows(workspace)
    text = (workspace.vault / BOARD).read_text(encoding="utf-8")
    assert f"<br>{claim} |" in unpadded(text)
    assert names in text
    assert "@best" not in text
    assert "widerface." not in text


def test_claims_stand_in_groups_and_a_second_sync_writes_nothing(board, stamps):
    workspace = board("fr")
    rows(workspace)
    text = (workspace.vault / BOARD).read_text(encoding="utf-8")
    groups = [line for line in text.splitlines() if line.startswith("**") and line.endswith("**")]
    assert groups == [
        "**Qualité de détection**",
        "**Référence**",
        "**Taille**",
        "**Vitesse et mémoire**",
        "**Affirmations propres**",
    ]
    before = stamps(workspace.vault)
    assert sync(workspace).written == []
    assert stamps(workspace.vault) == before


def test_a_mistyped_claim_stops_the_board_alone(board):
    workspace = board("en")
    with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write('[milestones.slip]\npredicate = "v2 params.totl < 1"\n')
    report = sync(Workspace.open(workspace.root))
    assert any("did you mean 'params.total'?" in reason for reason in report.reasons)
    assert "05-Results/Performance-Analysis.md" in report.written
