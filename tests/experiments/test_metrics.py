"""Metrics and records survive the trip through JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.conditions import Conditions
from experiments.metrics import EVIDENCE, MARKS, Metric
from experiments.records.record import Attempt, Git, Parent, Record, Stage
from featherface.errors import DataError, UsageError

words = st.text(max_size=20)
conditions = st.builds(
    Conditions,
    protocol=words,
    settings=st.dictionaries(
        words, st.booleans() | st.integers() | st.floats(allow_nan=False) | words, max_size=3
    ).map(lambda settings: tuple(settings.items())),
    sizes=st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), max_size=2).map(tuple),
    batch=st.integers(0, 999),
    threads=st.integers(0, 999),
    device=words,
    precision=words,
    engine=words,
)
metrics = st.builds(
    Metric,
    name=st.text(min_size=1, max_size=20),
    value=st.floats(allow_nan=False, allow_infinity=False),
    unit=words,
    dataset=words,
    n=st.integers(0, 10**9),
    complete=st.booleans(),
    evidence=st.sampled_from(EVIDENCE),
    source=words,
    maker=words,
    marks=st.lists(st.sampled_from(MARKS), max_size=1).map(tuple),
    conditions=conditions,
)
records = st.builds(
    Record,
    experiment=words,
    version=st.integers(1, 999),
    tags=st.lists(words, max_size=3).map(tuple),
    hypothesis=words,
    git=st.builds(Git, commit=words, dirty=st.booleans()),
    parents=st.lists(st.builds(Parent, role=words, run=words), max_size=2).map(tuple),
    attempts=st.lists(
        st.builds(
            Attempt,
            started=words,
            host=words,
            pid=st.integers(0, 99999),
            argv=st.lists(words, max_size=3).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    stages=st.dictionaries(words, st.builds(Stage, seconds=st.floats(0, 1e9)), max_size=3),
    hardware=st.dictionaries(words, words | st.integers(), max_size=3),
)


@given(metrics)
def test_a_metric_survives_json(metric):
    assert Metric.from_json(json.loads(json.dumps(metric.to_json()))) == metric


@given(records)
def test_a_record_survives_json(record):
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_keys_of_a_later_version_are_ignored():
    assert Metric.from_json({"name": "a", "value": 1, "later": 2}) == Metric(name="a", value=1.0)
    assert Record.from_json({"experiment": "v1", "version": 1, "later": 2}).id == "v1@1"


def test_what_is_no_metric_is_refused():
    with pytest.raises(DataError, match="not a metric"):
        Metric.from_json({"name": "a"})
    with pytest.raises(UsageError, match="did you mean 'measured'"):
        Metric(name="a", value=1.0, evidence="measure")
    with pytest.raises(UsageError, match="not a number to record"):
        Metric(name="a", value=float("nan"))


def test_a_record_of_a_later_schema_says_so():
    with pytest.raises(DataError, match="later version"):
        Record.from_json({"schema": 99, "experiment": "v1", "version": 1})
    with pytest.raises(DataError, match="not a run's record"):
        Record.from_json({"experiment": "v1"})
