"""The publication's table, row by row: near enough, too far off, or not measured as published."""

import pytest

from experiments.claims.baseline import Expectation, baseline, candidate, validate

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
    run = make_run(workspace, "v1", metrics=near | {"latency.gpu.median_ms": 8.5}, **WHOLE)
    found = states(validate(run, expected))
    assert found.pop("latency.gpu.median_ms") == "fail"
    assert set(found.values()) == {"pass"}
    far = make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.7, "macs.640": 2e9}, **WHOLE)
    found = states(validate(far, expected))
    assert (found["widerface.hard.ap"], found["macs.640"]) == ("fail", "fail")
    assert found["widerface.easy.ap"] == "not_measured"
    assert candidate([run, far], expected) == run


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
