"""Each state of a claim, end to end on sealed records: how sure it is, and what to do next."""

import dataclasses

import pytest

from experiments.claims import checking, margins
from experiments.claims.margins import Resampled
from experiments.comparison.statistics import paired_bootstrap
from experiments.earlier_conditions import from_text
from experiments.metrics import Metric
from experiments.records.record import Parent, Stage
from experiments.records.run import Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.workspace.milestones import Milestone
from experiments.workspace.workspace import Workspace
from featherface.errors import UsageError

AP = "widerface.hard.ap"


def check(workspace, predicate, **more):
    claim = Milestone(name="mine", predicate=predicate, dataset="synthetic", **more)
    return checking.check_milestone(Store(workspace), claim)


APS = {"easy": 0.71, "medium": 0.66, "hard": 0.55}


@pytest.fixture
def pair(workspace, make_run):
    """A teacher and a better student, with match records of the same 80 images."""
    teacher = evaluated(workspace, make_run, "v1", 1)
    return teacher, evaluated(workspace, make_run, "v2", 6)


def evaluated(workspace, make_run, name, seed, n=80):
    """Write a run with match records; a higher SEED finds more faces."""
    values = {f"widerface.{one}.ap": ap + seed / 100 for one, ap in APS.items()}
    metrics = {**values, "widerface.mean_ap": sum(values.values()) / 3, "params.total": 256_000}
    return make_run(workspace, name, metrics=metrics, seed=seed, n=n, matches=True)


def around(run, by):
    return f"{run.metric(AP).value + by:.6f}"


def test_a_claim_far_from_its_limit_is_certain(workspace, pair):
    found = check(workspace, "v2 widerface.hard.ap > 1%")
    assert (found.state, found.holds, found.certain, found.reason()) == ("pass", True, True, "")
    assert found.intervals[0].low < pair[1].metric(AP).value < found.intervals[0].high
    found = check(workspace, "v2 widerface.hard.ap > 99%")
    assert (found.state, found.holds, found.certain) == ("fail", False, True)


def test_it_passes_but_the_lower_bound_does_not(workspace, pair):
    found = check(workspace, f"v2 widerface.hard.ap > {around(pair[1], -0.001)}")
    assert (found.state, found.certain) == ("pass", False)
    assert "passes, but the lower bound does not" in found.reason()
    assert "suffit, mais pas la borne basse" in found.reason("fr")
    (margin,) = found.margins
    assert margin.low < 0 < margin.value < margin.high


def test_it_fails_but_the_upper_bound_would_pass(workspace, pair):
    found = check(workspace, f"v2 widerface.hard.ap >= {around(pair[1], 0.001)}")
    assert (found.state, found.certain) == ("fail", False)
    assert "but the upper bound would pass" in found.reason()
    assert "mais la borne haute suffirait" in found.reason("fr")


def test_below_a_limit_is_judged_the_other_way_round(workspace, pair):
    found = check(workspace, f"v2 widerface.hard.ap < {around(pair[1], 0.001)}")
    assert (found.state, found.certain) == ("pass", False)
    assert found.margins[0].value == pytest.approx(0.001, abs=1e-6)


def test_a_difference_is_paired(workspace, pair):
    records = [run.matches() for run in pair]
    wanted = paired_bootstrap(records).difference(0, 1, "hard")
    (margin,) = check(workspace, "v2 widerface.hard.ap > v1 widerface.hard.ap").margins
    assert (margin.low, margin.high) == pytest.approx((wanted.low, wanted.high))
    apart = [paired_bootstrap([one]).interval(0, "hard") for one in records]
    assert margin.high - margin.low < apart[1].high - apart[0].low


def test_a_share_of_another_run_has_a_margin(workspace, pair):
    found = check(workspace, "v2 widerface.hard.ap >= 90% * v1 widerface.hard.ap")
    assert (found.state, found.certain) == ("pass", True)
    (margin,) = found.margins
    assert margin.right == pytest.approx(0.9 * pair[0].metric(AP).value)
    assert margin.low < margin.value < margin.high
    ratio = check(workspace, "v2 widerface.hard.ap / v1 widerface.hard.ap >= 90%").margins[0]
    assert (ratio.unit, ratio.low is None) == ("", False)


def test_parameters_are_exact(workspace, pair):
    found = check(workspace, "v2 params.total < 285_000")
    assert (found.certain, found.margins[0].low) == (True, None)
    assert check(workspace, "v2 params.total < 1").certain is True


@pytest.mark.parametrize(
    ("predicate", "state", "certain"),
    [
        ("v2 {ap} > {low} and v2 params.total < 285_000", "pass", False),
        ("v2 {ap} > {low} or v2 params.total < 285_000", "pass", True),
        ("v2 {ap} > {high} or v2 params.total < 1", "fail", False),
        ("v2 {ap} > {high} and v2 params.total < 1", "fail", True),
        ("not v2 {ap} > {high}", "pass", False),
        ("not (v2 {ap} > {low})", "fail", False),
        ("not v2 {ap} > 99%", "pass", True),
    ],
)
def test_and_or_not_carry_the_bounds(workspace, pair, predicate, state, certain):
    low, high = around(pair[1], -0.001), around(pair[1], 0.001)
    found = check(workspace, predicate.format(ap=AP, low=low, high=high))
    assert (found.state, found.certain) == (state, certain)
    assert ("bound" in found.reason()) == (certain is False)


def test_without_match_records_certainty_is_not_known(workspace, make_run):
    make_run(workspace, "v2")
    found = check(workspace, "v2 widerface.hard.ap > 1%")
    assert (found.state, found.certain, found.intervals) == ("pass", None, (None,))


def test_runs_on_other_images_are_not_paired(workspace, make_run):
    evaluated(workspace, make_run, "v1", 1)
    evaluated(workspace, make_run, "v2", 6, n=60)
    found = check(workspace, "v2 widerface.hard.ap > v1 widerface.hard.ap")
    assert (found.state, found.certain, found.margins[0].low) == ("pass", None, None)


def test_a_second_check_resamples_nothing(workspace, pair, monkeypatch):
    predicate = "v2 widerface.hard.ap > v1 widerface.hard.ap"
    first = check(workspace, predicate).margins[0]
    kept = sorted((workspace.state / "cache" / "resamples").iterdir())
    assert len(kept) == 2
    monkeypatch.setattr(margins, "read_matches", lambda _: pytest.fail("resampled again"))
    assert check(workspace, predicate).margins[0] == first


def test_a_damaged_cache_is_made_anew(workspace, pair):
    first = check(workspace, "v2 widerface.hard.ap > 1%").margins
    for path in (workspace.state / "cache" / "resamples").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert check(workspace, "v2 widerface.hard.ap > 1%").margins == first


def test_another_record_has_another_cache(workspace, pair):
    store = Store(workspace)
    resampled = Resampled(workspace.state / "cache" / "resamples")
    values = [resampled.values(store.find(name), AP) for name in ("v1", "v2")]
    assert not (values[0] == values[1]).all()
    assert resampled.values(store.find("v1"), "params.total") is None
    assert (margins.RESAMPLES, margins.SEED) == (1000, 0)


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("v2 widerface.hrad.ap > 1", "no metric 'widerface.hrad.ap'; did you mean 'widerface.hard"),
        ("v2 params.totl < 1", "no metric 'params.totl'; did you mean 'params.total'"),
        ("v2ultra params.total < 1", "no experiment 'v2ultra'; did you mean 'v2-ultra'"),
        ("v2@bets params.total < 1", "no selector 'v2@bets'; did you mean 'v2@best'"),
        ("@3 params.total < 1", "no selector '@3'"),
    ],
)
def test_a_mistyped_name_is_told(workspace, predicate, message):
    with pytest.raises(UsageError, match=r"milestones\.mine: ") as told:
        check(workspace, predicate)
    assert message in told.value.message
    assert told.value.hint


@pytest.mark.parametrize("selector", ["v2", "v2@3", "v2@best", "@last", "v2-ultra", "sometime"])
def test_a_run_that_is_not_there_yet_is_not_measurable(workspace, selector):
    found = check(workspace, f"{selector} params.total < 1")
    assert found.state == "not_measurable"
    assert found.reason() == f"no finished run of {selector}"
    assert len(found.steps) == 1


def test_a_label_may_be_spoken_of(workspace, make_run):
    make_run(workspace, "v1", labels=["submitted"])
    assert check(workspace, "submitted params.total < 1e9").state == "pass"
    with pytest.raises(UsageError, match="did you mean 'submitted'"):
        check(workspace, "submited params.total < 1e9")


def test_a_metric_of_a_plugin_is_known_once_measured(workspace, make_run):
    with pytest.raises(UsageError, match=r"no metric 'blur\.index'"):
        check(workspace, "v2 blur.index > 1")
    make_run(workspace, "v1", metrics={"blur.index": 2.0})
    assert check(workspace, "v1 blur.index > 1").state == "pass"
    assert check(workspace, "v2 blur.index > 1").state == "not_measurable"


WIDER = Milestone(name="wider", predicate="v2 widerface.hard.ap > 0.5")


def steps(workspace, claim=WIDER, language="en"):
    found = checking.check_milestone(Store(workspace), claim)
    assert found.state == "not_measurable"
    return [one.text(language) for one in found.steps]


def test_the_next_command_for_each_reason(workspace, make_run):
    assert steps(workspace) == ["thesis run v2"]
    make_run(workspace, "v2", status="interrupted")
    assert steps(workspace) == ["thesis run v2 --resume"]
    make_run(workspace, "v2", metrics={"params.total": 1})
    assert steps(workspace) == ["thesis run v2 --stage evaluate"]
    make_run(workspace, "v2")
    (text,) = steps(workspace)
    assert text.endswith("widerface = 'FOLDER'), then: thesis run v2 --set data.root=widerface")
    (text,) = steps(workspace, language="fr")
    assert "sous [data]\u202f: widerface = 'DOSSIER'" in text
    config = workspace.root / "thesis.toml"
    config.write_text('[data]\nwiderface = "faces"\n', encoding="utf-8")
    opened = Workspace.open(workspace.root)
    assert steps(opened) == ["thesis run v2 --set data.root=widerface"]
    more = {"recipe": {"data.root": "widerface", "data.val_limit": 34}}
    make_run(workspace, "v2", dataset="widerface", n=34, complete=False, **more)
    assert steps(opened) == ["thesis run v2 --set data.val_limit=0 --stage evaluate"]
    protocol = "original (score_threshold=0.5)"
    make_run(workspace, "v2", dataset="widerface", n=3226, protocol=protocol)
    assert steps(opened) == ["thesis run v2 --set evaluate.score_threshold=0.02 --stage evaluate"]
    run = make_run(workspace, "v2", dataset="widerface", n=3226)
    (run.folder / "log.txt").write_text("changed", encoding="utf-8")
    assert steps(opened) == [f"thesis runs verify {run.id}"]


def test_what_a_gpu_must_measure_says_so(workspace, make_run):
    make_run(workspace, "v1")
    claim = Milestone(name="x", predicate="v1 latency.gpu.median_ms < 8")
    assert steps(workspace, claim) == ["on a machine with a GPU: thesis run v1 --stage benchmark"]
    slow = Milestone(name="x", predicate="v1 latency.cpu.median_ms < 8", setting="320×320, batch 4")
    wanted = "--set benchmark.image_size=320 --set benchmark.batch_size=4 --stage benchmark"
    assert steps(workspace, slow) == [f"thesis run v1 {wanted}"]


def test_what_a_command_repeats_it_repeats_with_its_settings(workspace, make_run):
    run = make_run(workspace, "v2", metrics={"params.total": 1})
    settings = ('model.weights="my weights.pth"', "train.epochs=3", "data.synthetic.seed=0")
    dataclasses.replace(run.record, overrides=settings, recipe_name="ablations/v2").write(
        run.folder
    )
    seal(run.folder)
    wanted = '--set "model.weights=my weights.pth" --set data.synthetic.seed=0 --stage evaluate'
    assert steps(workspace) == [f"thesis run ablations/v2 {wanted}"]


def test_a_stage_alone_keeps_what_its_set_is_called_and_what_may_be_missing(workspace, make_run):
    run = make_run(workspace, "v2", metrics={"params.total": 1})
    settings = ("data.name=faces", "data.allow_missing=0.2", "evaluate.predictions_by=yolo")
    changed = dataclasses.replace(run.record, overrides=(*settings, "train.epochs=3"))
    changed.write(run.folder)
    seal(run.folder)
    (step,) = steps(workspace)
    assert [word for word in step.split() if "=" in word] == list(settings)


@pytest.mark.parametrize(
    ("bound", "state", "certain"),
    [("< 0.9", "pass", True), ("< 0.82", "pass", False), ("< 0.78", "fail", False)],
)
def test_a_claim_on_a_ratio_of_latencies_uses_the_interval_of_its_record(
    workspace, make_run, bound, state, certain
):
    name = "latency.cpu.ratio.v1"
    ratio = {"value": 0.8, "low": 0.75, "high": 0.85, "level": 0.95, "pairs": 40}
    entry = {"metric": name, "run": "v1@1", "ratio": ratio}
    metric = Metric(name=name, value=0.8, conditions=from_text("640×640, batch 1, 1 threads"))
    make_run(workspace, "v2", metrics=[metric], details={"benchmark": {"beside": [entry]}})
    claim = Milestone(name="x", predicate=f"v2 {name} {bound}", setting="640×640, batch 1")
    found = checking.check_milestone(Store(workspace), claim)
    assert (found.state, found.certain) == (state, certain)
    assert (found.intervals[0].low, found.intervals[0].high) == (0.75, 0.85)


def test_cited_results_count_where_the_milestone_lets_them(workspace, make_run):
    make_run(workspace, "v2", dataset="widerface", n=3226)
    predicate = "v2 widerface.hard.ap < yunet-n widerface.hard.ap"
    strict = Milestone(name="strict", predicate=predicate)
    (step,) = steps(workspace, strict)
    assert 'evidence = ["measured", "cited"] under [milestones.strict]' in step
    open_ = Milestone(name="open", predicate=predicate, evidence=("measured", "cited"))
    found = checking.check_milestone(Store(workspace), open_)
    assert found.state == "pass"
    assert [(one.source, one.metric.evidence) for one in found.observations] == [
        ("v2@1", "measured"),
        ("yunet-n", "cited"),
    ]


def test_a_cited_result_of_another_protocol_never_counts(workspace, make_run):
    make_run(workspace, "v2", dataset="widerface", n=3226)
    predicate = "v2 widerface.hard.ap < eresfd widerface.hard.ap"
    claim = Milestone(name="x", predicate=predicate, evidence=("measured", "cited"))
    found = checking.check_milestone(Store(workspace), claim)
    assert found.state == "not_measurable"
    assert "protocol multiscale+flip" in found.reason()


def test_a_measurement_goes_before_a_citation_of_the_same_name(workspace, make_run):
    text = '[cited.v9]\nsource = "x"\n[cited.v9.metrics]\n"params.total" = 7\n'
    (workspace.root / "thesis.toml").write_text(text, encoding="utf-8")
    opened = Workspace.open(workspace.root)
    claim = Milestone(name="x", predicate="v9 params.total < 9", evidence=("measured", "cited"))
    assert checking.check_milestone(Store(opened), claim).state == "pass"
    make_run(workspace, "v9", metrics={"params.total": 100})
    found = checking.check_milestone(Store(opened), claim)
    assert (found.state, found.runs[0].id) == ("fail", "v9@1")


def test_stale_says_what_the_claim_was_and_what_to_run(workspace, make_run):
    run = make_run(workspace, "v2")
    dataclasses.replace(run.record, code="0" * 64).write(run.folder)
    seal(run.folder)
    found = check(workspace, "v2 widerface.hard.ap > 1%")
    assert (found.state, found.holds, found.certain) == ("stale", True, None)
    assert "the claim held when it was measured" in found.reason()
    assert [one.text() for one in found.steps] == ["thesis run v2"]
    found = check(workspace, "v2 params.total < 1")
    assert "the claim did not hold when it was measured" in found.reason()
    assert [one.text() for one in found.steps] == ["thesis run v2 --stage benchmark"]


def test_a_best_version_that_is_stale_points_to_the_one_that_is_not(workspace, make_run):
    old = make_run(workspace, "v2", metrics={AP: 0.9, "widerface.mean_ap": 0.9})
    dataclasses.replace(old.record, code="0" * 64).write(old.folder)
    seal(old.folder)
    make_run(workspace, "v2", metrics={AP: 0.8, "widerface.mean_ap": 0.8})
    found = check(workspace, "v2@best widerface.hard.ap > 1%")
    assert found.state == "stale"
    assert found.steps[-1].text().startswith("v2@2 is up to date but is not v2@best")


def test_what_divides_by_zero_is_not_measurable(workspace, make_run):
    make_run(workspace, "v2", metrics={"params.total": 0.0})
    found = check(workspace, "1 / v2 params.total > 2")
    assert (found.state, "divides by zero" in found.reason()) == ("not_measurable", True)


def again(make_run, workspace, run, **more):
    """Write a version that took RUN's weights."""
    record = run.record
    parent = Parent(role="weights", run=run.id, seal=run.seal)
    made = make_run(workspace, run.experiment, **more)
    stages = {**made.record.stages, "train": Stage(status="skipped")}
    dataclasses.replace(record, version=made.version, parents=(parent,), stages=stages).write(
        made.folder
    )
    seal(made.folder)
    return Run(made.folder)


@pytest.fixture
def weighted(workspace, make_run):
    """A version on the synthetic set, with weights."""
    run = make_run(workspace, "v2")
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "best.safetensors").write_bytes(b"weights")
    seal(run.folder)
    return Run(run.folder)


def test_a_quick_look_does_not_hide_the_measurement(workspace, make_run, weighted):
    again(make_run, workspace, weighted, n=4, complete=False)
    found = check(workspace, "v2 widerface.hard.ap > 1%")
    assert (found.state, found.runs[0].id) == ("pass", "v2@1")
    assert [note.text() for note in found.notes] == ["v2@2 passed over: 4 images, v2@1 has 80"]


def test_a_stale_measurement_does_not_stand_in_for_one_that_does_not_count(
    workspace, make_run, weighted
):
    dataclasses.replace(weighted.record, code="0" * 64).write(weighted.folder)
    seal(weighted.folder)
    again(make_run, workspace, Run(weighted.folder), protocol="original (nms_threshold=0.3)")
    found = check(workspace, "v2 widerface.hard.ap > 1%")
    assert (found.state, found.observations[0].run.id) == ("not_measurable", "v2@2")
    assert [one.text() for one in found.steps] == [
        "thesis run v2 --set evaluate.nms_threshold=0.4 --stage evaluate"
    ]


def test_measuring_the_same_weights_again_is_enough(workspace, make_run, weighted):
    dataclasses.replace(weighted.record, code="0" * 64).write(weighted.folder)
    seal(weighted.folder)
    small = "v2@best params.total < 1_000_000"
    assert check(workspace, small).state == "stale"
    make_run(workspace, "v2", metrics={"params.total": 488_664})
    found = check(workspace, small)
    assert (found.state, found.runs[0].id) == ("pass", "v2@2")
