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


def test_claims_are_told_once_that_lack_the_same(thesis, judged):
    out = thesis("milestone", "check", workspace=judged("fr")).out
    lines = [line.strip() for line in out.splitlines()]
    lacking = "v2@1 was evaluated on synthetic images, not on WIDER FACE"
    above = lines[: lines.index(lacking)]
    names = [line.split("  ")[0] for line in above[-3:]]
    assert names == ["improvement-shown", "significant-improvement", "target-reached"]


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


CLAIMS = """
[milestones.recalled]
predicate = "v2@best widerface.hard.recall >= 75.5% and v2@best latency.cpu.median_ms < 33.25"
[milestones.ranged]
predicate = "v2 params.total >= 253_440 and v2 params.total <= 258_560"
[milestones.either]
predicate = "not (v2 macs.640 < 1e9 or v1 - v2 params.total > 5)"
dataset = "synthetic"
protocol = "vga (decision=0.3)"
evidence = ["measured", "imported"]
"""


def test_the_list_says_claims_in_words_and_what_they_ask_for_once(thesis, judged, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    workspace = judged("en")
    with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write(CLAIMS.replace("v1 - v2 params.total", "v1 params.total - v2 params.total"))
    out = thesis("milestone", "list", workspace=workspace).out.replace("\u00a0", " ")
    said = dict(line.split(None, 1) for line in out.splitlines() if line.startswith("  "))
    assert said["small"] == "v2: Parameters < 100 (written in thesis.toml)"
    assert said["recalled"].startswith(
        "v2@best: Recall Hard at 0.5 ≥ 75.5%, CPU latency, median < 33.25 ms ("
    )
    assert said["ranged"].startswith("v2: Parameters 253,440 to 258,560 (")
    assert said["either"].startswith(
        "not (MACs at 640² of v2 < 1 G or Parameters of v1 − Parameters of v2 > 5)"
        " (evidence measured or imported; data synthetic; protocol vga (decision=0.3); written in"
    )
    assert said["baseline-reproduced"].endswith("AP Hard of v1-official@best > 78%")
    assert "widerface." not in out
    assert out.count("protocol original") == 1


def test_the_verbose_list_shows_claims_as_they_are_written(thesis, judged, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = thesis("milestone", "list", "--verbose", workspace=judged("en")).out
    assert "  predicate: v2 params.total < 100\n" in out
    assert "  title: Tout juste" not in out
    assert "  title: Just above\n" in out
    assert max(map(len, out.splitlines())) <= 60
