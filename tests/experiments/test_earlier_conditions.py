"""Conditions that earlier versions wrote as text are read as the values that are written today."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.conditions import Conditions
from experiments.earlier_conditions import from_text, read_conditions
from experiments.metrics import Metric
from featherface.devices.precision import PRECISIONS
from featherface.evaluation.config import PROTOCOLS, EvaluateConfig

share = st.floats(0.001, 0.999)
evaluations = st.builds(
    EvaluateConfig,
    protocol=st.sampled_from(sorted(PROTOCOLS)),
    flip=st.booleans(),
    voting=st.booleans(),
    score_threshold=share,
    nms_threshold=share | st.just(1),
    decision=share | st.sampled_from([0, 1]),
    max_detections=st.integers(0, 10_000),
    precision=st.sampled_from(sorted(PRECISIONS)),
)


def as_recall_was_named(evaluate):
    """Return the text that earlier versions recorded for what depends on `decision`."""
    extras = [key for key in ("flip", "voting") if getattr(evaluate, key)]
    usual = EvaluateConfig()
    keys = ("score_threshold", "nms_threshold", "decision", "max_detections", "precision")
    changed = [
        f"{key}={getattr(evaluate, key)}"
        for key in keys
        if getattr(evaluate, key) != getattr(usual, key)
    ]
    name = "+".join([evaluate.protocol, *extras])
    return f"{name} ({', '.join(changed)})" if changed else name


sides = st.integers(1, 4096)


@given(evaluations)
def test_what_an_evaluation_called_its_protocol_is_read(evaluate):
    assert from_text(evaluate.identity) == Conditions.of_evaluation(evaluate)
    decided = Conditions.of_evaluation(evaluate, decided=True)
    assert from_text(as_recall_was_named(evaluate)) == decided
    assert (decided.protocol, dict(decided.settings).get("flip", False)) == (
        evaluate.protocol,
        evaluate.flip,
    )


@given(sides, st.integers(1, 999), st.integers(0, 256))
def test_what_a_benchmark_called_its_setting_is_read(side, batch, threads):
    text = f"{side}×{side}, batch {batch}" + (f", {threads} threads" if threads else "")
    wanted = Conditions(sizes=((side, side),), batch=batch, threads=threads)
    assert from_text(text) == wanted
    assert wanted.identity == text


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=4))
def test_what_an_export_was_checked_at_is_read(sizes):
    text = ", ".join(f"{width}×{height}" for width, height in sizes)
    assert from_text(text) == Conditions(sizes=tuple(sizes))


TEXTS = "640×640|640x640|, batch 1|, 2 threads|vga|+flip|+| (|)|a=1|a=nan|, |a=01|×| "
pieces = st.sampled_from(TEXTS.split("|"))


@given(st.text(max_size=30) | st.lists(pieces, max_size=6).map("".join))
def test_any_other_text_stays_as_it_is(text):
    found = from_text(text)
    assert found.identity == text
    assert Conditions.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "text",
    [
        "not stated",
        "640x640 batch 1",
        "640×640, batch one",
        "vga (flip",
        "vga (a=1, a=1)",
        "0640×640",
    ],
)
def test_a_text_that_no_version_wrote_is_a_protocol_of_its_own(text):
    assert from_text(text) == Conditions(protocol=text)


def test_a_record_with_text_alone_equals_one_with_values():
    about = {"name": "latency.cpu.median_ms", "value": 9.0, "unit": "ms"}
    place = {"device": "cpu", "hardware": "2 cores", "precision": "fp32"}
    text = {"protocol": "640×640, batch 1, 2 threads"}
    old = Metric.from_json(about | text | {"conditions": place})
    new = Metric.from_json(
        about
        | text
        | {
            "conditions": {
                "sizes": [[640, 640]],
                "batch": 1,
                "threads": 2,
                **place,
                "engine": "torch",
            }
        }
    )
    assert old == new
    assert old.context == new.context
    assert old.to_json() == new.to_json()


def test_values_win_over_the_text_beside_them():
    values = {"protocol": "VGA, as the other program says", "conditions": {"protocol": "vga"}}
    assert read_conditions(values) == Conditions(protocol="vga")


def test_another_engine_is_another_time_but_the_same_protocol():
    usual = Conditions(sizes=((640, 640),), batch=1, device="cpu", engine="torch")
    other = dataclasses.replace(usual, engine="onnxruntime", hardware="2 cores")
    assert usual.decisive("latency.cpu.median_ms") != other.decisive("latency.cpu.median_ms")
    assert usual.decisive("widerface.hard.ap") == other.decisive("widerface.hard.ap")
    assert other.shown() == "2 cores, onnxruntime"


@pytest.mark.parametrize(
    ("wanted", "meets"),
    [
        ("", True),
        ("640×640", True),
        ("640×640, batch 1", True),
        ("640×640, batch 1, 2 threads", True),
        ("640×640, batch 16", False),
        ("640×640, batch 1, 4 threads", False),
        ("320×320", False),
        ("640", False),
    ],
)
def test_a_setting_asks_for_what_it_states(wanted, meets):
    taken = from_text("640×640, batch 1, 2 threads")
    assert taken.meets(from_text(wanted)) is meets
