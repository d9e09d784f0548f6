"""Device and precision belong to a number: kept, compared, told; older records are read too."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
import torch

from experiments.claims.remedies import for_protocol
from experiments.comparison.compare import compare
from experiments.comparison.tables import metrics_table
from experiments.conditions import Conditions
from experiments.conditions_text import MeasurementSettings
from experiments.earlier_conditions import as_recorded, from_text
from experiments.metrics import Metric
from experiments.plotting.pareto_points import of_runs
from experiments.records import writer
from experiments.records.dataframes import metrics as framed
from experiments.records.provenance import conditions_on
from experiments.records.run import Run
from experiments.records.store import Store
from experiments.wording.phrases import say
from featherface.errors import DataError, RefusedError, UsageError
from vault_sync.prose.values import _refuse_mixture
from vault_sync.rendering.words import Words
from vault_sync.reports.sections.protocol_rows import _card

AMPERE = Conditions(
    device="cuda", hardware="NVIDIA GeForce RTX 3060", precision="tf32", engine="torch"
)
FULL = dataclasses.replace(AMPERE, precision="fp32")
PASCAL = Conditions(
    device="cuda", hardware="NVIDIA GeForce GTX 1060", precision="fp32", engine="torch"
)
CPU = Conditions(device="cpu", hardware="2 cores", precision="fp32", engine="torch")
OLD = """{
 "schema": 1,
 "metrics": [
  {"name": "widerface.hard.ap", "value": 0.55, "unit": "fraction", "dataset": "synthetic",
   "split": "val", "protocol": "original", "n": 80, "complete": true,
   "fingerprint": "f", "evidence": "measured", "source": "v1@1"},
  {"name": "params.total", "value": 488664.0, "unit": "parameters", "dataset": "", "split": "",
   "protocol": "", "n": 0, "complete": true, "fingerprint": "", "evidence": "measured",
   "source": "v1@1"},
  {"name": "latency.%(place)s.median_ms", "value": 41.5, "unit": "ms", "dataset": "", "split": "",
   "protocol": "640×640, batch 1%(threads)s", "n": 20, "complete": true, "fingerprint": "",
   "evidence": "measured", "source": "v1@1"},
  {"name": "memory.peak_mb", "value": 61.0, "unit": "MB", "dataset": "", "split": "",
   "protocol": "640×640, batch 1", "n": 0, "complete": true, "fingerprint": "",
   "evidence": "measured", "source": "v1@1"}
 ],
 "details": {"benchmark": {"device": "%(device)s", "threads": 2}}
}
"""
"""results.json as it was before conditions were kept."""


def timed(value, conditions, name="latency.gpu.median_ms", unit="ms"):
    taken = dataclasses.replace(conditions, sizes=((640, 640),), batch=1)
    return Metric(name=name, value=value, unit=unit, conditions=taken)


def judged(value, conditions, **about):
    setting = {"dataset": "synthetic", "split": "val", "n": 80} | about
    taken = (
        conditions if conditions.protocol else dataclasses.replace(conditions, protocol="original")
    )
    return Metric(
        name="widerface.hard.ap", value=value, unit="fraction", conditions=taken, **setting
    )


def aged(run, hardware, device="cpu"):
    """Give RUN the results of an earlier version, taken on HARDWARE, and seal it anew."""
    place = "cpu" if device == "cpu" else "gpu"
    threads = ", 2 threads" if place == "cpu" else ""
    text = OLD % {"place": place, "threads": threads, "device": device}
    (run.folder / "SEAL.json").unlink(missing_ok=True)
    (run.folder / "results.json").write_text(text, encoding="utf-8")
    record = dataclasses.replace(run.record, hardware=hardware)
    writer.finish(run.folder, record)
    return Run(run.folder)


@pytest.mark.parametrize("conditions", [Conditions(), AMPERE, CPU, Conditions(precision="bf16")])
def test_a_metric_is_read_as_it_was_written(conditions):
    metric = timed(9.0, conditions)
    plain = json.loads(json.dumps(metric.to_json()))
    assert Metric.from_json(plain) == metric
    assert plain["protocol"] == "640×640, batch 1"
    assert plain["conditions"]["sizes"] == [[640, 640]]
    assert plain["conditions"]["batch"] == 1
    later = plain | {"conditions": plain["conditions"] | {"power": "battery"}}
    assert Metric.from_json(later) == metric


def test_what_states_no_conditions_writes_none():
    assert "conditions" not in Metric(name="params.total", value=1.0).to_json()


@pytest.mark.parametrize(
    "conditions",
    ["cuda", {"batch": "one"}, {"sizes": [640]}, {"settings": {"flip": []}}, {"settings": 5}],
)
def test_conditions_that_are_none_are_refused(conditions):
    text = f"not the conditions of a measurement: {conditions!r}"
    with pytest.raises(DataError, match=re.escape(text)):
        Metric.from_json(timed(9.0, CPU).to_json() | {"conditions": conditions})


@pytest.mark.parametrize(
    ("metric", "hardware", "details", "wanted"),
    [
        ("widerface.hard.ap", {"system": "Linux", "cpu": "a"}, {}, ("cpu", "a", "fp32")),
        ("widerface.hard.ap", {"system": "Windows 10", "cpu": "a", "gpu": "g"}, {}, ("", "", "")),
        ("widerface.hard.ap", {"system": "Darwin 23", "cpu": "a"}, {}, ("", "", "")),
        ("widerface.hard.ap", {}, {}, ("", "", "")),
        ("latency.cpu.median_ms", {"cpu": "a", "gpu": "g"}, {}, ("cpu", "a", "fp32")),
        ("latency.gpu.p90_ms", {"cpu": "a", "gpu": "g"}, {}, ("cuda", "g", "")),
        ("memory.peak_mb", {"cpu": "a", "gpu": "g"}, {"device": "cuda"}, ("cuda", "g", "")),
        ("memory.peak_mb", {"cpu": "a", "gpu": "g"}, {"device": "cpu"}, ("cpu", "a", "fp32")),
        ("memory.peak_mb", {"cpu": "a", "gpu": "g"}, {}, ("", "", "")),
        ("latency.gpu.median_ms", {"cpu": "M1"}, {"device": "mps"}, ("mps", "M1", "fp32")),
        ("params.total", {"system": "Linux", "cpu": "a"}, {}, ("", "", "")),
    ],
)
def test_an_older_record_tells_what_it_knows(metric, hardware, details, wanted):
    conditions = as_recorded(metric, hardware, {"benchmark": details}, judged=False)
    assert (conditions.device, conditions.hardware, conditions.precision) == wanted


def test_predictions_from_elsewhere_were_computed_nobody_knows_where():
    hardware = {"system": "Linux", "cpu": "a"}
    assert not as_recorded("widerface.hard.ap", hardware, {}, judged=True).known


def test_of_several_cards_the_right_one_is_named(monkeypatch):
    names = ["NVIDIA GeForce GTX 1060", "NVIDIA GeForce RTX 3060"]
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: names[device.index or 0])
    assert conditions_on(torch.device("cuda:1"), "tf32") == AMPERE
    assert conditions_on(torch.device("cuda"), "fp32") == PASCAL
    assert conditions_on(torch.device("cpu"), "fp32").hardware


def test_older_records_are_compared_and_told_as_they_were(workspace, make_run):
    machine = {"system": "Linux", "cpu": "2 cores"}
    first, second = (aged(make_run(workspace, name), machine) for name in ("v1", "v2"))
    timing = dataclasses.replace(CPU, sizes=((640, 640),), batch=1, threads=2)
    assert first.metric("latency.cpu.median_ms").conditions == timing
    judging = dataclasses.replace(CPU, protocol="original")
    assert first.metric("widerface.hard.ap").conditions == judging
    assert not first.metric("params.total").conditions.known
    comparison = compare([first, second], store=Store(workspace), resamples=0)
    for name in ("latency.cpu.median_ms", "memory.peak_mb", "widerface.hard.ap"):
        assert comparison.row(name).deltas[1].value == 0
    notes = [note.text() for note in comparison.notes]
    assert "Latency: 640×640, batch 1, 2 threads" in notes
    assert not any("device" in note or "rounding" in note for note in notes)


def test_an_older_record_of_a_card_stands_apart_from_a_new_one(workspace, make_run):
    machine = {"system": "Windows 10", "cpu": "i5", "gpu": AMPERE.hardware}
    old = aged(make_run(workspace, "v1"), machine, "cuda")
    other = aged(make_run(workspace, "v2"), machine, "cuda")
    assert compare([old, other], resamples=0).row("memory.peak_mb").deltas[1].value == 0
    measured = [timed(8.0, FULL), judged(0.56, FULL, fingerprint="f")]
    new = make_run(workspace, "v3", metrics=measured)
    comparison = compare([old, new], resamples=0)
    assert comparison.row("latency.gpu.median_ms").deltas == (None, None)
    assert comparison.row("widerface.hard.ap").deltas[1].value == pytest.approx(0.01)
    notes = [note.text() for note in comparison.notes]
    assert any(
        note.startswith("The record does not tell on what AP was computed: v1@1") for note in notes
    )
    assert any(
        "NVIDIA GeForce RTX 3060 (v1@1); NVIDIA GeForce RTX 3060, fp32 (v3@1)" in note
        for note in notes
    )


@pytest.mark.parametrize("other", [PASCAL, FULL, Conditions()])
@pytest.mark.parametrize(
    ("name", "unit"), [("latency.gpu.median_ms", "ms"), ("memory.peak_mb", "MB")]
)
def test_times_and_memory_of_other_devices_have_no_difference(
    workspace, make_run, other, name, unit
):
    first, second, alike = (
        make_run(workspace, run, metrics=[timed(value, on, name, unit)])
        for run, value, on in (("v1", 9.0, AMPERE), ("v2", 8.0, other), ("v3", 7.0, AMPERE))
    )
    comparison = compare([first, second, alike], resamples=0)
    assert [delta and delta.value for delta in comparison.row(name).deltas] == [None, None, -2.0]
    (said,) = [note for note in comparison.notes if note.code == "machines"]
    assert "NVIDIA GeForce RTX 3060, TF32 (v1@1)" in said.text()
    if other.known:
        assert f"{other.shown()} (v2@1)" in said.text()
    values = {run.id: comparison.to_json()["rows"][0]["values"][run.id] for run in (first, second)}
    assert values["v1@1"]["conditions"]["precision"] == "tf32"


def test_one_device_is_named_once(workspace, make_run):
    measured = [timed(9.0, AMPERE), timed(60.0, AMPERE, "memory.peak_mb", "MB")]
    runs = [make_run(workspace, name, metrics=measured) for name in ("v1", "v2")]
    comparison = compare(runs, resamples=0)
    notes = metrics_table(comparison).notes
    assert "Latency, measured on NVIDIA GeForce RTX 3060, TF32" in notes
    assert "Pic de mémoire, mesures prises sur NVIDIA GeForce RTX 3060, TF32" in (
        metrics_table(comparison, "fr").notes
    )
    assert comparison.row("latency.gpu.median_ms").deltas[1].value == 0


def test_full_precision_compares_on_any_device_and_says_so(workspace, make_run):
    runs = [
        make_run(workspace, name, metrics=[judged(value, on)])
        for name, value, on in (("v1", 0.5, CPU), ("v2", 0.6, FULL))
    ]
    comparison = compare(runs, resamples=0)
    assert comparison.row("widerface.hard.ap").deltas[1].value == pytest.approx(0.1)
    (said,) = [note for note in comparison.notes if note.code == "rounding"]
    assert said.text() == (
        "AP was computed on 2 cores (v1@1); NVIDIA GeForce RTX 3060, fp32 (v2@1):"
        " its last digits may differ by rounding"
    )
    elsewhere = dataclasses.replace(CPU, hardware="4 cores")
    third = make_run(workspace, "v3", metrics=[judged(0.5, elsewhere)])
    assert not [note for note in compare([runs[0], third]).notes if note.code == "rounding"]


def test_another_precision_of_ap_is_another_protocol(workspace, make_run):
    settings = (("precision", "bf16"),)
    half = judged(0.6, dataclasses.replace(CPU, protocol="original", settings=settings))
    runs = [
        make_run(workspace, "v1", metrics=[judged(0.5, CPU)]),
        make_run(workspace, "v2", metrics=[half]),
    ]
    with pytest.raises(
        UsageError, match=r"by the protocol original, v2@1 by original \(precision=bf16\)"
    ):
        compare(runs)
    step = for_protocol(Store(workspace), runs[1], half, Conditions(protocol="original"))
    assert step is not None
    assert "--set evaluate.precision=fp32" in str(step[1]["command"])
    assert all("(precision=bf16)" in Words(language).claim(half) for language in ("en", "fr"))


def test_a_setting_names_the_card():
    assert Words("en").conditions(timed(9.0, AMPERE)) == (
        "640×640, batch size 1, on NVIDIA GeForce RTX 3060, TF32"
    )
    assert Words("fr").conditions(timed(9.0, FULL)) == (
        "640×640, lots de 1, sur NVIDIA GeForce RTX 3060, fp32"
    )
    assert Words("en").conditions(timed(9.0, CPU)) == "640×640, batch size 1"


def test_prose_reckons_only_with_one_device():
    with pytest.raises(RefusedError, match=r"RTX 3060, TF32.* and .*GTX 1060, fp32"):
        _refuse_mixture((timed(9.0, AMPERE), timed(8.0, PASCAL)))
    _refuse_mixture((timed(9.0, AMPERE), timed(8.0, AMPERE)))


def test_a_plot_holds_the_times_of_one_device(workspace, make_run):
    runs = [
        make_run(workspace, name, metrics=[timed(9.0, on), judged(0.5, on)])
        for name, on in (("v1", AMPERE), ("v2", PASCAL), ("v3", AMPERE))
    ]
    points = of_runs(runs, "latency.gpu.median_ms", "widerface.hard.ap", "en")
    assert [point.label for point in points] == ["v1@1", "v3@1"]


def test_tables_of_ones_own_have_a_column_each(workspace, make_run):
    run = make_run(workspace, "v1", metrics=[timed(9.0, AMPERE), judged(0.5, CPU)])
    table = framed([run]).set_index("name")
    assert table.loc["latency.gpu.median_ms", "precision"] == "tf32"
    assert table.loc["widerface.hard.ap", "device"] == "cpu"
    assert "conditions" not in table.columns


def test_the_card_that_trained_is_named_in_the_protocol(workspace, make_run):
    second = {"train": {"device": "cuda", "hardware": AMPERE.hardware}}
    assert _card(None, make_run(workspace, "v1", details=second)) == AMPERE.hardware
    processor = {"train": {"device": "cpu", "hardware": "2 cores"}}
    assert _card(None, make_run(workspace, "v2", details=processor)) == ""
    earlier = make_run(workspace, "v3")
    earlier.record = dataclasses.replace(earlier.record, hardware={"gpu": PASCAL.hardware})
    assert _card(None, earlier) == PASCAL.hardware


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Latency: 320×320, batch 1, 1 thread"),
        ("fr", "Latence\u202f: 320×320, lots de 1, un seul fil d'exécution"),
    ],
)
def test_settings_of_latencies_are_worded_in_either_language(language: str, sentence: str) -> None:
    assert (
        say(
            "note.timed",
            language,
            setting=MeasurementSettings((from_text("320×320, batch 1, 1 threads"),)),
        )
        == sentence
    )


def test_settings_that_differ_are_worded_in_french() -> None:
    texts = ("640×640, batch 8, 2 threads", "320×320, batch 1")
    settings = MeasurementSettings(tuple(from_text(text) for text in texts))
    sentence = say("note.timed-differently", "fr", settings=settings)
    assert sentence.endswith("640×640, lots de 8, 2 fils d'exécution / 320×320, lots de 1")
