"""What a person reads of the claims: by state, in the thesis's language, with what to do next."""

import dataclasses

import pytest

from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace

OWN = """
[milestones.close]
title = "Just above"
titre = "Tout juste au-dessus"
dataset = "synthetic"
predicate = "v2 widerface.hard.ap >= {limit}"
[milestones.small]
predicate = "v2 params.total < 100"
"""


@pytest.fixture
def judged(tmp_path, make_run):
    """A workspace in a language, with a claim that barely holds and one that does not."""

    def make(language):
        workspace = Workspace.create(tmp_path / language, language=language)
        scores = make_run(workspace, "scores", matches=True, seed=6).matches()
        metrics = {"widerface.hard.ap": scores.ap("hard"), "params.total": 256_006}
        make_run(workspace, "v2", metrics=metrics, matches=True, seed=6)
        limit = f"{scores.ap('hard') - 0.001:.6f}"
        with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
            file.write(OWN.format(limit=limit))
        return workspace

    return make


def test_claims_are_told_by_state(thesis, judged):
    answer = thesis("milestone", "check", workspace=judged("en"))
    assert answer.code == 1
    for text in (
        "Reached (2)",
        "close  Just above",
        "passes, but the lower bound does not",
        "Not reached (1)",
        "Parameters (v2@1): 256,006, which is not <\u00a0100",
        "Not yet measurable (",
        "v2@1 was evaluated on synthetic images, not on WIDER FACE",
        "Next\n\n",
        "then: thesis run v2 --set data.root=widerface",
        "Claims that hold: 2 of ",
    ):
        assert text in answer.out
    assert answer.out.index("Reached (2)") < answer.out.index("Not reached (1)")


def test_claims_are_told_in_french(thesis, judged):
    out = thesis("milestone", "check", workspace=judged("fr")).out
    for text in (
        "Atteints (2)",
        "close  Tout juste au-dessus",
        "suffit, mais pas la borne basse",
        "Non atteints (1)",
        "256\u202f006, au lieu de <\u00a0100",
        "Pas encore mesurables (",
        "À faire\n\n",
        "Affirmations vérifiées\u202f: 2 sur ",
    ):
        assert text in out


def test_lines_keep_to_the_terminal_but_commands_are_whole(thesis, judged, monkeypatch):
    workspace = judged("en")
    monkeypatch.setenv("COLUMNS", "60")
    out = thesis("milestone", "check", workspace=workspace).out
    long = [line for line in out.splitlines() if len(line) > 60]
    assert long
    assert all("thesis run" in line for line in long)


def test_one_claim_may_be_asked(thesis, valid, judged):
    workspace = judged("en")
    (row,) = valid(thesis("milestone", "check", "close", "--json", workspace=workspace))
    assert (row["state"], row["holds"], row["certain"]) == ("pass", True, False)
    assert row["bootstrap"] == {"resamples": 1000, "seed": 0}
    (compared,) = row["comparisons"]
    assert compared["low"] < 0 < compared["margin"] < compared["high"]
    assert row["metrics"][0]["low"] < row["metrics"][0]["metric"]["value"]
    assert thesis("milestone", "check", "close", workspace=workspace).code == 0
    missed = thesis("milestone", "check", "closed", workspace=workspace)
    assert missed.code == 3
    assert "did you mean 'close'?" in missed.err


def test_one_failed_or_stale_claim_makes_the_exit_code_one(thesis, judged):
    workspace = judged("en")
    assert thesis("milestone", "check", "close", workspace=workspace).code == 0
    assert thesis("milestone", "check", "close", "small", workspace=workspace).code == 1
    run = Store(workspace).find("v2")
    dataclasses.replace(run.record, code="0" * 64).write(run.folder)
    seal(run.folder)
    answer = thesis("milestone", "check", "close", workspace=workspace)
    assert "To be measured again (1)" in answer.out
    assert answer.code == 1


def test_a_mistyped_metric_is_a_usage_error(thesis, judged):
    workspace = judged("en")
    with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write('[milestones.slip]\npredicate = "v2 params.totl < 1"\n')
    answer = thesis("milestone", "check", workspace=workspace)
    assert answer.code == 2
    assert "milestones.slip: no metric 'params.totl'; did you mean 'params.total'?" in answer.err


def test_the_list_tells_where_claims_are_written(thesis, judged):
    out = thesis("milestone", "list", workspace=judged("en")).out
    (row,) = [line for line in out.splitlines() if line.startswith("small ")]
    assert "v2 params.total < 100" in row
    assert row.endswith("thesis.toml")
