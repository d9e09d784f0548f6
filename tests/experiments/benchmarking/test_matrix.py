"""The matrix of formats, from what a run sealed: nothing that it didn't measure."""

import pytest
from stand_ins.formats import FILES, matrix_metrics

from experiments.benchmarking.matrix import possible_formats, rows
from featherface.export.formats import FORMATS


@pytest.fixture
def run(workspace, make_run):
    return make_run(workspace, "v2", variant="v2", metrics=matrix_metrics(), details=FILES)


def test_a_row_holds_what_the_run_measured_of_a_file(run):
    network, onnx, int8, phone, watch = rows(run)
    assert (network.state, network.format, network.ap) == ("network", "torch", 0.71)
    assert network.latency.value == 40.0
    assert (onnx.state, onnx.engine, onnx.parity) == ("ran", "onnxruntime", 4.5e-6)
    assert (onnx.latency.value, onnx.ratio.value) == (20.0, 0.5)
    assert (int8.ap, int8.loss, int8.low, int8.high) == (0.7, 0.01, 0.002, 0.018)
    assert (int8.megabytes, int8.latency, int8.reason) == (0.4, None, "it fell over")
    assert (phone.state, phone.engine, phone.parity) == ("converted", "", None)
    assert (watch.state, watch.title, watch.reason) == (
        *("not_made", "made-up-watch", "no such operator"),
    )


def test_what_was_not_measured_is_missing_and_never_a_zero(run):
    _, onnx, _, phone, _ = rows(run)
    assert (onnx.ap, onnx.loss) == (None, None)
    assert (phone.ap, phone.loss, phone.latency, phone.ratio) == (None, None, None, None)


def test_a_run_that_exported_nothing_has_no_rows(workspace, make_run):
    assert rows(make_run(workspace, "v1")) == []


def test_every_format_can_be_written_here_or_names_what_installs_it():
    possible, missing = possible_formats()
    assert set(possible) | set(missing) == set(FORMATS)
    assert not set(possible) & set(missing)
    assert all(missing.values())
