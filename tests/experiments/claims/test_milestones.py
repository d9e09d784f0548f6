"""A claim passes only on evidence that speaks of what it claims."""

import dataclasses

import pytest

from experiments.claims import checking
from experiments.claims.predicates import parse
from experiments.earlier_conditions import from_text
from experiments.metrics import Metric
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.staleness.source_digest import code_digest
from experiments.wording.catalogue import phrases
from experiments.workspace.milestones import PACKAGED, Milestone
from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError, UsageError

HARD = Milestone(name="hard", predicate="v2@best widerface.hard.ap > 0.80")
WIDER = {"dataset": "widerface", "n": 3226}


def outcome(workspace, milestone=HARD):
    return checking.check_milestone(Store(workspace), milestone)


def test_a_claim_passes_and_fails_on_full_widerface(workspace, make_run):
    make_run(workspace, "v2", metrics={"widerface.hard.ap": 0.79}, **WIDER)
    failed = outcome(workspace)
    assert failed.state == "fail"
    assert failed.reason() == "AP Hard (v2@1): 79.0%, which is not >\u00a080.0%"
    assert failed.reason("fr") == "AP Hard (v2@1)\u202f: 79,0\u202f%, au lieu de >\u00a080,0\u202f%"
    make_run(
        workspace, "v2", metrics={"widerface.hard.ap": 0.81, "widerface.mean_ap": 0.9}, **WIDER
    )
    passed = outcome(workspace)
    assert (passed.state, passed.reason(), passed.runs[0].id) == ("pass", "", "v2@2")


@pytest.mark.parametrize(
    ("sign", "holding"),
    [
        ("<", {"below"}),
        ("<=", {"below", "at"}),
        ("==", {"at"}),
        ("!=", {"below", "above"}),
        (">=", {"at", "above"}),
        (">", {"above"}),
    ],
)
def test_a_limit_belongs_to_the_claim_or_not_as_its_sign_says(workspace, make_run, sign, holding):
    for place, value in (("below", 488_663), ("at", 488_664), ("above", 488_665)):
        make_run(workspace, place, metrics={"params.total": value})
        claim = Milestone(name="size", predicate=f"{place} params.total {sign} 488_664")
        assert outcome(workspace, claim).state == ("pass" if place in holding else "fail")


@pytest.mark.parametrize(
    ("about", "english", "french"),
    [
        (
            {"dataset": "synthetic", "n": 80},
            "v2@1 was evaluated on synthetic images, not on WIDER FACE",
            "v2@1 a été évaluée sur des images synthétiques, et non sur WIDER FACE",
        ),
        (
            {"dataset": "widerface", "n": 34, "complete": False},
            "v2@1 was evaluated on 34 of 3,226 images, not a WIDER FACE result",
            (
                "v2@1 a été évaluée sur 34 images sur 3\u202f226\u202f: "
                "ce n'est pas un résultat WIDER FACE"
            ),
        ),
        (
            {"dataset": "widerface", "n": 34, "complete": True},
            "v2@1 was evaluated on 34 of 3,226 images, not a WIDER FACE result",
            None,
        ),
        (
            {**WIDER, "protocol": "vga"},
            "v2@1 was evaluated by the protocol vga, not original",
            None,
        ),
    ],
)
def test_other_evidence_is_not_measurable_and_says_why(workspace, make_run, about, english, french):
    make_run(
        workspace, "v2", metrics={"widerface.hard.ap": 0.99, "widerface.mean_ap": 0.9}, **about
    )
    found = outcome(workspace)
    assert (found.state, found.reason()) == ("not_measurable", english)
    if french:
        assert found.reason("fr") == french


def test_targets_and_citations_are_no_measurement(workspace, make_run):
    planned = Metric(name="params.total", value=1.0, evidence="target")
    make_run(workspace, "v2", metrics=[planned])
    claim = Milestone(name="small", predicate="v2 params.total < 285000")
    told = "params.total of v2@1 is a target; the claim asks for what is measured"
    assert outcome(workspace, claim).reason() == told


def test_missing_runs_metrics_and_damaged_records(workspace, make_run):
    claim = Milestone(name="small", predicate="v2 params.total < 285000")
    assert outcome(workspace, claim).reason() == "no finished run of v2"
    run = make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.5})
    assert outcome(workspace, claim).reason() == "v2@1 has not measured params.total"
    (run.folder / "results.json").write_text("{}", encoding="utf-8")
    assert "was changed afterwards" in outcome(workspace, claim).reason()


def test_a_run_that_is_not_finished_is_no_evidence(workspace, make_run):
    make_run(workspace, "v2", metrics={"params.total": 256_000}, status="interrupted")
    found = outcome(workspace, Milestone(name="x", predicate="v2@last params.total < 285000"))
    assert (found.state, found.reason()) == ("not_measurable", "v2@1 is not finished")


def test_one_decided_part_decides_an_or(workspace, make_run):
    make_run(workspace, "v2", metrics={"params.total": 256_000})
    either = Milestone(name="x", predicate="v2 params.total < 285000 or v9 params.total < 1")
    both = Milestone(name="x", predicate="v2 params.total > 285000 and v9 params.total < 1")
    assert outcome(workspace, either).state == "pass"
    assert outcome(workspace, both).state == "fail"


YES, NO, UNKNOWN = "v2 params.total > 1", "v2 params.total < 1", "v9 params.total > 1"


@pytest.mark.parametrize(
    ("predicate", "state"),
    [
        (f"{YES} and {UNKNOWN}", "not_measurable"),
        (f"{NO} and {UNKNOWN}", "fail"),
        (f"{YES} or {UNKNOWN}", "pass"),
        (f"{NO} or {UNKNOWN}", "not_measurable"),
        (f"not {UNKNOWN}", "not_measurable"),
        (f"not ({NO} or {UNKNOWN})", "not_measurable"),
        (f"not ({NO} and {UNKNOWN})", "pass"),
    ],
)
def test_what_is_not_known_decides_only_where_the_rest_does_not(
    workspace, make_run, predicate, state
):
    make_run(workspace, "v2", metrics={"params.total": 256_000})
    assert outcome(workspace, Milestone(name="x", predicate=predicate)).state == state


def test_what_the_run_was_made_from_changed(workspace, make_run):
    run = make_run(workspace, "v2", metrics={"params.total": 256_000})
    claim = Milestone(name="small", predicate="v2 params.total < 285000")
    assert outcome(workspace, claim).state == "pass"
    dataclasses.replace(run.record, code="0" * 64).write(run.folder)
    seal(run.folder)
    found = outcome(workspace, claim)
    assert found.state == "stale"
    assert found.reason("fr").startswith("v2@1 ne garde pas de sondes (network)")
    assert len(code_digest()) == 64


def test_packaged_milestones_parse_and_are_bilingual(workspace):
    for milestone in workspace.milestones.values():
        parse(milestone.predicate)
        assert milestone.title
        assert milestone.titre
        assert milestone.source
    assert {one.state for one in checking.check(workspace)} == {"not_measurable"}


def test_packaged_results_carry_source_and_evidence(workspace):
    cited = workspace.cited
    assert all(one.source and one.metrics for one in cited.values())
    assert cited["yunet-n"].metric("params.total").value == 75_856
    assert {one.evidence for one in cited.values()} == {"cited", "target"}
    hard = cited["v2-plan"].metric("widerface.hard.ap")
    assert (hard.evidence, hard.dataset, hard.protocol) == ("target", "widerface", "original")


def test_the_user_adds_and_replaces(workspace):
    text = """
[milestones.mine]
title = "Mine"
predicate = "v2 params.total < 1"
[milestones.target-reached]
predicate = "v2 params.total < 2"
[cited.mine]
source = "a paper"
[cited.mine.metrics]
"widerface.hard.ap" = 0.5
"""
    (workspace.root / "thesis.toml").write_text(text, encoding="utf-8")
    opened = Workspace.open(workspace.root)
    assert opened.milestones["target-reached"].predicate == "v2 params.total < 2"
    assert opened.cited["mine"].metric("widerface.hard.ap").value == 0.5
    assert [one.milestone.name for one in checking.check(opened, ["mine"])] == ["mine"]
    with pytest.raises(NotFoundError, match="did you mean 'mine'"):
        checking.check(opened, ["mein"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[milestones.x]\ntitle = "x"', "predicate is missing"),
        ("[milestones.x]\npredicate = 3", "predicate must be text in quotes, not 3"),
        ('[milestones.x]\npredicate = "a b > 1"\nevidence = 3', "evidence is 3; it must be a list"),
        ('[milestones.x]\npredicate = "a b > 1"\nevidence = []', "evidence is"),
        ('[milestones.x]\npredicate = "a b > 1"\nevidence = ["cites"]', "did you mean 'cited'"),
        ('[milestones.x]\npredicat = "x"', "did you mean 'predicate'"),
        ('[milestones]\nx = "v2 a.b > 1"', "is a table"),
    ],
)
def test_a_wrong_milestone_is_told(workspace, text, message):
    (workspace.root / "thesis.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        _ = Workspace.open(workspace.root).milestones


def test_a_milestone_says_where_it_is_written(workspace, tmp_path, monkeypatch):
    user = tmp_path / "config.toml"
    user.write_text('[milestones.mine]\npredicate = "v2 params.total < 1"\n', encoding="utf-8")
    monkeypatch.setenv("THESIS_CONFIG", str(user))
    config = workspace.root / "thesis.toml"
    config.write_text('[milestones.ours]\npredicate = "v2 params.total < 1"\n', encoding="utf-8")
    found = Workspace.open(workspace.root).milestones
    names = ("target-reached", "mine", "ours")
    assert [found[one].origin for one in names] == [PACKAGED, str(user), str(config)]


def test_a_packaged_milestone_may_be_changed_in_part(workspace):
    text = '[milestones.target-reached]\nevidence = ["measured", "cited"]\n'
    (workspace.root / "thesis.toml").write_text(text, encoding="utf-8")
    found = Workspace.open(workspace.root).milestones["target-reached"]
    assert found.evidence == ("measured", "cited")
    assert found.title.startswith("Target reached")
    assert found.predicate == workspace.milestones["target-reached"].predicate
    assert found.origin.endswith("thesis.toml")


def test_the_thesis_claims_are_all_there(workspace):
    claims = workspace.milestones
    groups = {one.group for one in claims.values()}
    assert groups >= {"accuracy", "baseline", "budget", "speed"}
    untitled = {group for group in groups if f"group.{group}" not in phrases("en")}
    assert not untitled, f"words/milestones.toml under [group]: no {untitled}"
    for name in ("baseline-reproduced", "improvement-shown", "significant-improvement"):
        assert "widerface.hard.ap >" in claims[name].predicate
    for word in ("params.total", "size.fp32_mb", "memory.peak_mb", "macs.640", "latency.gpu"):
        assert any(word in one.predicate for one in claims.values())


def test_a_wrong_predicate_names_its_milestone(workspace):
    with pytest.raises(UsageError, match=r"milestones\.odd: predicate 'v2 >'"):
        outcome(workspace, Milestone(name="odd", predicate="v2 >"))


@pytest.mark.parametrize(
    ("protocol", "state"),
    [
        ("640×640, batch 1, 2 threads", "pass"),
        ("640×640, batch 1", "pass"),
        ("640×640, batch 16, 2 threads", "not_measurable"),
        ("64×64, batch 1, 2 threads", "not_measurable"),
    ],
)
def test_a_latency_counts_only_in_the_setting_that_the_claim_asks_for(
    workspace, make_run, protocol, state
):
    taken = from_text(protocol)
    fast = Metric(name="latency.cpu.median_ms", value=2.0, unit="ms", conditions=taken)
    make_run(workspace, "v1", metrics=[fast])
    claim = Milestone(name="fast", predicate="v1 latency.cpu.median_ms < 8")
    outcome = checking.check_milestone(Store(workspace), claim)
    assert outcome.state == state
    assert (protocol in outcome.reason()) == (state == "not_measurable")
