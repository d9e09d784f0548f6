"""The publication's table, row by row: near enough, too far off, or not measured as published."""

import pytest

from experiments.claims.baseline import Expectation, baseline, candidate, validate
from experiments.claims.checking import check
from experiments.earlier_conditions import from_text
from experiments.metrics import Metric
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace

WHOLE = {"dataset": "widerface", "n": 3226}


def states(outcomes):
    return {one.expectation.metric: one.state for one in outcomes}


@pytest.mark.parametrize(
    ("one", "measured", "holds"),
    [
        (Expectation("widerface.hard.ap", 0.783, 0.005), 0.778, True),
        (Expectation("widerface.hard.ap", 0.783, 0.005), 0.7779, False),
        (Expectation("widerface.hard.ap", 0.783, 0.005), 0.9, True),
        (Expectation("params.total", 489_000, 2_000), 491_000, True),
        (Expectation("params.total", 489_000, 2_000), 486_999, False),
        (Expectation("macs.640", 1e9), 1e9, False),
        (Expectation("macs.640", 1e9), 0.99e9, True),
    ],
)
def test_how_far_off_a_value_may_be(one, measured, holds):
    assert one.holds(measured) is holds


def test_every_row_of_the_papers_table(workspace, make_run):
    expected = baseline()
    values = {one.metric: one.value for one in expected.expectations}
    assert values["widerface.hard.ap"] == 0.783
    assert values["widerface.mean_ap"] == 0.872
    assert {"widerface.recall", "latency.gpu.median_ms", "memory.peak_mb"} <= set(values)
    near = {name: value * 0.998 for name, value in values.items()}
    near["params.paper_counted"] = 488_661
    run = make_run(workspace, "v1", metrics=near | {"latency.gpu.median_ms": 8.5}, **WHOLE)
    found = states(validate(run, expected))
    assert found.pop("latency.gpu.median_ms") == "fail"
    assert set(found.values()) == {"pass"}
    far = make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.7, "macs.640": 2e9}, **WHOLE)
    found = states(validate(far, expected))
    assert (found["widerface.hard.ap"], found["macs.640"]) == ("fail", "fail")
    assert found["widerface.easy.ap"] == "not_measured"
    assert candidate([run, far], expected) == far


def test_the_run_that_speaks_for_the_baseline_is_the_latest_of_the_widest_scope(
    workspace, make_run
):
    whole = make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.78}, **WHOLE)
    values = dict.fromkeys(("widerface.hard.ap", "widerface.easy.ap", "macs.640"), 0.9)
    part = make_run(workspace, "v1", metrics=values, dataset="widerface", n=34, complete=False)
    drawn = make_run(workspace, "v1", metrics=values)
    trial = make_run(workspace, "v1", metrics=values, tags=("smoke",), **WHOLE)
    assert candidate([whole, part, drawn, trial], baseline()) == whole
    assert candidate([trial], baseline()) is None


def test_what_its_run_lacks_is_read_from_a_version_of_the_same_weights(workspace, make_run):
    trained = make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.79}, **WHOLE)
    counted = make_run(workspace, "v1", metrics={"macs.640": 0.9e9}, parents=[])
    outcomes = validate(trained, baseline(), Store(workspace), "v1")
    (row,) = [one for one in outcomes if one.expectation.metric == "macs.640"]
    assert (row.state, row.run) == ("pass", counted)
    alone = validate(trained, baseline(), Store(workspace), trained.id)
    assert states(alone)["macs.640"] == "not_measured"


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"dataset": "synthetic"}, "evaluated on synthetic images"),
        ({"dataset": "widerface", "n": 34, "complete": False}, "34 of 3,226 images"),
        ({**WHOLE, "protocol": "vga"}, "protocol vga, not original"),
    ],
)
def test_other_data_is_no_measurement(workspace, make_run, about, why):
    run = make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.9}, **about)
    hard = next(one for one in validate(run, baseline()) if one.metric)
    assert (hard.state, hard.difference) == ("not_measured", None)
    assert why in hard.reason.text()


def test_nothing_is_measured_without_a_run(workspace, make_run):
    assert set(states(validate(None, baseline())).values()) == {"not_measured"}
    other = make_run(workspace, "v2", variant="v2", **WHOLE)
    assert candidate([other], baseline()) is None


def test_the_papers_count_is_judged_and_the_true_one_stands_beside(workspace, make_run):
    counts = {"params.paper_counted": 488_661, "params.total": 592_371}
    run = make_run(workspace, "v1-official", variant="v1-official", metrics=counts, **WHOLE)
    (row,) = [one for one in validate(run, baseline()) if one.beside]
    assert (row.expectation.metric, row.state) == ("params.paper_counted", "pass")
    assert (row.metric.value, row.beside.value) == (488_661, 592_371)


def test_a_network_that_no_paper_counted_is_not_held_against_its_count(workspace, make_run):
    run = make_run(workspace, "v1", metrics={"params.total": 488_664}, **WHOLE)
    (row,) = [one for one in validate(run, baseline()) if one.beside]
    assert (row.state, row.difference, row.beside.value) == ("not_measured", None, 488_664)
    assert row.reason.text() == "no paper counted the network of v1@1 in its own way"
    assert row.reason.text("fr").startswith("aucun article")


@pytest.mark.parametrize("name", ["v1", "v1-official"])
def test_the_published_network_may_reproduce_the_baseline_as_ours_may(workspace, make_run, name):
    metrics = {"widerface.hard.ap": 0.79}
    make_run(workspace, name, variant=name, metrics=metrics, **WHOLE)
    (outcome,) = check(workspace, ["baseline-reproduced"])
    assert (outcome.state, [run.experiment for run in outcome.runs]) == ("pass", [name])


def test_a_disturbed_time_is_no_measurement_of_the_baseline(workspace, make_run):
    on = from_text("640×640, batch 1")
    metric = Metric(
        name="latency.gpu.median_ms", value=5.0, unit="ms", marks=("disturbed",), conditions=on
    )
    run = make_run(workspace, "v1", metrics=[metric])
    (row,) = [one for one in validate(run, baseline()) if one.metric]
    assert (row.state, row.reason.code) == ("not_measured", "disturbed")


@pytest.mark.parametrize(
    ("milliseconds", "setting", "state"),
    [
        (32.0, "640×640, batch 1, 1 threads", "pass"),
        (34.0, "640×640, batch 1, 1 threads", "fail"),
        (1.0, "320×320, batch 1, 1 threads", "not_measurable"),
        (1.0, "640×640, batch 1, 8 threads", "not_measurable"),
    ],
)
def test_mobile_readiness_asks_for_a_bound_in_a_setting(
    workspace, make_run, milliseconds, setting, state
):
    latency = Metric(
        name="latency.cpu.median_ms", value=milliseconds, unit="ms", conditions=from_text(setting)
    )
    size = Metric(name="size.fp32_mb", value=1.05, unit="MB")
    score = Metric(
        name="widerface.mean_ap",
        value=0.86,
        unit="fraction",
        split="val",
        conditions=from_text("original"),
        **WHOLE,
    )
    make_run(workspace, "v2", metrics=[latency, size, score])
    (outcome,) = check(workspace, ["mobile-ready"])
    assert outcome.state == state
    if state == "not_measurable":
        (step,) = outcome.steps
        assert "benchmark.image_size=640" in step.text()
        assert "benchmark.threads=1" in step.text()


def test_an_older_thesis_that_rewords_mobile_readiness_keeps_working(workspace):
    settings = workspace.root / "thesis.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8")
        + '[milestones.mobile-ready]\npredicate = "v2@best latency.cpu.median_ms > 0"\n',
        encoding="utf-8",
    )
    (outcome,) = check(Workspace.find(workspace.root), ["mobile-ready"])
    assert outcome.milestone.predicate == "v2@best latency.cpu.median_ms > 0"
