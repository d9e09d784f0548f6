"""`thesis benchmark`: what a network costs."""

from __future__ import annotations

import numpy as np
import pytest
from stand_ins.machines import CalmMachine
from stand_ins.markdown_samples import unpadded
from stand_ins.small_exports import NAME, small_network

from featherface.export.formats import FORMATS, ExportConfig, ExportFormat
from featherface.export.writing import export
from featherface.networks.detector import build
from featherface.profiling import energy, machine
from featherface.profiling.energy import Energy
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

pytestmark = pytest.mark.usefixtures("traced_once", "weighed_here")
QUICK = ("--size", "64", "--passes", "2", "--device", "cpu")


def test_a_network_is_counted_timed_and_weighed(thesis, valid):
    data = valid(thesis("benchmark", "v2", *QUICK, "--batch", "2", "--threads", "1", "--json"))
    assert (data["name"], data["parameters"], data["batch_size"]) == ("v2", 256_006, 2)
    assert (data["device"], data["threads"], len(data["runs_ms"])) == ("cpu", 1, 2)
    assert data["peak_mb"] > data["size_fp32_mb"]
    assert data["layers"] is data["training"] is None


def test_layers_are_shown_slowest_first(thesis, valid):
    layers = valid(thesis("benchmark", "v2", *QUICK, "--layers", "--json"))["layers"]
    assert sum(each["share"] for each in layers) == pytest.approx(1)
    shown = thesis("benchmark", "v2", *QUICK, "--layers").out
    assert "heads.stem" in shown
    assert "256,006 parameters" in shown
    table = shown.split("─\n", 1)[1].splitlines()
    times = [float(line.split()[-4]) for line in table if line.endswith(tuple("0123456789"))]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(layers)


@pytest.mark.slow
def test_what_auto_would_choose_is_told(thesis, valid):
    answer = thesis("benchmark", "v3-nano", *QUICK, "--training", "--json")
    training = valid(answer)["training"]
    assert training["amp"] in ("no", "bf16")
    assert len(training["timings"]) in (2, 4)  # with bf16 where the processor has it
    assert training["room"]["batch_size"] == training["batch_size"] >= 1


def test_weights_must_fit(thesis, weights):
    assert thesis("benchmark", "v2", *QUICK, "--weights", weights).code == 0
    answer = thesis("benchmark", "v1", *QUICK, "--weights", weights)
    assert answer.code != 0
    assert "v2" in answer.err


def test_a_size_that_no_network_takes_is_refused(thesis):
    answer = thesis("benchmark", "v2", "--size", "100")
    assert answer.code == 2
    assert "96" in answer.err


def test_the_workspaces_device_is_taken_unless_the_option_says_otherwise(
    thesis, workspace, monkeypatch, pretend_cards
):
    pretend_cards("NVIDIA GeForce GTX 1060 6GB", build="cu130")
    monkeypatch.setenv("THESIS_DEVICE", "cuda")
    call = ("benchmark", "v1", "--size", "64", "--runs", "1", "--json")
    answer = thesis(*call, workspace=workspace)
    assert answer.code == 4
    assert "holds no code for NVIDIA GeForce GTX 1060 6GB (sm_61)" in answer.err
    answer = thesis(*call, "--device", "auto", workspace=workspace)
    assert answer.data["device"] == "cpu"
    (warning,) = answer.json["warnings"]
    assert warning.startswith("computing on the CPU: PyTorch 2.13.0+cu130 holds no code for")


def test_several_networks_are_timed_in_turns_and_their_ratio_has_an_interval(
    thesis, valid, tmp_path
):
    file = tmp_path / "mine.safetensors"
    save_weights(file, build(variant("v3-nano"), seed=0), {"variant": "v3-nano"})
    data = valid(thesis("benchmark", "v1", "v2", file, *QUICK, "--json"))
    assert (data["name"], [each["name"] for each in data["beside"]]) == ("v1", ["v2", str(file)])
    for each in data["beside"]:
        ratio = each["ratio"]
        assert ratio["low"] <= ratio["value"] <= ratio["high"]
        assert ratio["pairs"] == len(each["runs_ms"]) == 2
    shown = thesis("benchmark", "v1", "v2", *QUICK).out
    assert "times v1" in shown
    assert "1.000 to 1.000, 2 pairs" in shown


def test_one_network_alone_has_no_ratio(thesis, valid):
    data = valid(thesis("benchmark", "v2", *QUICK, "--json"))
    assert data["beside"] == []
    assert "ratio" not in data


def test_a_busy_machine_is_told_beside_the_times(thesis, valid, monkeypatch):
    monkeypatch.setattr(machine, "THIS", CalmMachine(tick=1.0, others=1.5))
    answer = thesis("benchmark", "v2", *QUICK, "--threads", "1", "--json")
    assert valid(answer)["marks"] == ["disturbed"]
    (warning,) = answer.json["warnings"]
    assert "other programs wanted 50% of the cores" in warning
    assert "(disturbed)" in thesis("benchmark", "v2", *QUICK, "--threads", "1").out


@pytest.mark.parametrize("count", ["--passes", "--runs"])
def test_passes_are_counted_by_either_name(thesis, valid, count):
    options = ("--size", "64", "--warmup", "0", "--device", "cpu")
    assert len(valid(thesis("benchmark", "v2", count, "3", *options, "--json"))["runs_ms"]) == 3


def test_what_names_no_network_is_told_with_the_choices(thesis, workspace, weights):
    answer = thesis("benchmark", "v22", *QUICK, workspace=workspace)
    assert answer.code == 2
    assert "did you mean 'v2'" in answer.err
    assert thesis("benchmark", "v2@7", *QUICK, workspace=workspace).code == 3
    answer = thesis("benchmark", "v1", "v2", "--weights", weights, *QUICK)
    assert answer.code == 2
    assert "of one network" in answer.err


def test_a_finished_run_is_measured_anew_with_its_very_weights(thesis, valid, workspace, tmp_path):
    """The step that milestones and compare name: `thesis run v2@1 --stage benchmark --new`."""
    file = tmp_path / "mine.safetensors"
    save_weights(file, build(variant("v2"), seed=3))
    small = ("--set", "benchmark.image_size=64", "--set", "benchmark.runs=8", "--no-sync", "--json")
    own = ("--set", f"model.weights={file}", "--set", "train.epochs=9")
    call = ("--stage", "benchmark", *small)
    (first,) = valid(thesis("run", "v2", *own, *call, workspace=workspace))["runs"]
    (second,) = valid(thesis("run", "v2@1", *call, "--new", workspace=workspace))["runs"]
    assert (first["run"], second["run"]) == ("v2@1", "v2@2")
    taken = [
        (workspace.root / "runs" / "v2" / number / "checkpoints" / "taken.safetensors").read_bytes()
        for number in ("001", "002")
    ]
    assert len(taken[0]) == len(taken[1])
    names = [metric["name"] for metric in second["metrics"]]
    assert "latency.cpu.median_ms" in names
    (plan,) = valid(thesis("run", "v2@1", "--dry-run", "--json", workspace=workspace))["plans"]
    assert "epochs: 9" in plan["recipe"]
    assert thesis("run", "v2@9", *call, workspace=workspace).code == 3
    data = valid(thesis("benchmark", "v2@1", "v2@2", *QUICK, "--json", workspace=workspace))
    assert data["name"] == "v2@1"


def rows_of(data):
    """Return the networks of every case by size, batch, work and engine."""
    return {
        (case["image_size"], case["batch_size"], case["work"], each["engine"]): (case, each)
        for case in data["cases"]
        for each in case["networks"]
    }


@pytest.mark.slow
def test_sizes_batches_and_engines_are_measured_in_one_call(thesis, valid):
    lists = ("--size", "64,96", "--batch", "1,2", "--engine", "torch,onnxruntime")
    call = ("benchmark", "v3-nano", *lists, "--passes", "2", "--warmup", "1", "--device", "cpu")
    data = valid(thesis(*call, "--json"))
    rows = rows_of(data)
    assert set(rows) == {
        (side, batch, "forward", engine)
        for side in (64, 96)
        for batch in (1, 2)
        for engine in ("torch", "onnxruntime")
    }
    for (_, batch, _, engine), (case, each) in rows.items():
        times = np.array(each["runs_ms"])
        told = [each[f"{name}_ms"] for name in ("mean", "std", "min", "max", "median")]
        wanted = [times.mean(), times.std(), times.min(), times.max(), np.median(times)]
        assert told == pytest.approx(wanted)
        assert each["pictures_per_second"] == pytest.approx(1000 * batch / times.mean())
        assert (case["passes"], case["warmup"], len(times)) == (2, 1, 2)
        assert each["memory"]["mean"] <= each["memory"]["max"]
        assert (each["file_mb"] is None) == (engine == "torch")
        assert (each["ratio"] is None) == (engine == "torch")
    assert (data["image_size"], data["batch_size"], data["engine"]) == (64, 1, "torch")
    assert [each["engine"] for each in data["beside"]] == ["onnxruntime"]
    assert data["macs"] < rows[96, 1, "forward", "torch"][1]["macs"]


def test_an_onnx_file_is_measured_beside_its_network_and_end_to_end(thesis, valid, tmp_path):
    config = ExportConfig(parity_sizes=((64, 64),), parity_batches=(1,))
    (file,) = export(small_network(), config, tmp_path, "nano", NAME)
    call = ("benchmark", "v3-nano", file.path, *QUICK, "--end-to-end", "--json")
    answer = thesis(*call)
    data = valid(answer)
    rows = rows_of(data)
    assert set(rows) == {
        (64, 1, work, engine)
        for work in ("forward", "detection")
        for engine in ("torch", "onnxruntime")
    }
    _, told = rows[64, 1, "forward", "onnxruntime"]
    assert told["parameters"] == data["parameters"]
    assert told["file_mb"] == pytest.approx(file.megabytes)
    _, whole = rows[64, 1, "detection", "onnxruntime"]
    assert whole["memory"] is None
    assert whole["boxes"] > 0
    assert "finds noise or nothing" in answer.json["warnings"][0]
    refused = thesis("benchmark", file.path, *QUICK, "--layers")
    assert refused.code == 2
    assert "onnxruntime computes" in refused.err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--size", "64,abc", "whole numbers"),
        ("--batch", "1,0", "from 1"),
        ("--size", "64,100", "96"),
        ("--engine", "onnxrun", "did you mean 'onnxruntime'"),
    ],
)
def test_a_list_with_something_else_in_it_is_refused(thesis, option, value, said):
    answer = thesis("benchmark", "v2", option, value)
    assert answer.code == 2
    assert said in answer.err


def test_energy_is_told_where_the_machine_counts_it_and_else_not_at_all(thesis, valid, monkeypatch):
    data = valid(thesis("benchmark", "v3-nano", *QUICK, "--json"))
    assert data["energy"] is None or data["energy"]["joules"] > 0
    counted = Energy(
        joules=6.0, seconds=2.0, passes=3, pictures=3, meters=("RAPL package-0",), other_cores=0.0
    )
    monkeypatch.setattr(energy, "meters_of", lambda _: ["a meter"])
    monkeypatch.setattr(energy, "energy", lambda *_: counted)
    data = valid(thesis("benchmark", "v3-nano", *QUICK, "--json"))
    assert data["energy"]["joules_per_picture"] == 2.0
    shown = thesis("benchmark", "v3-nano", *QUICK).out
    assert "2 J per picture, 3.0 W (RAPL package-0)" in shown


SMALL_MATRIX = ("--size", "64", "--batch", "1", "--passes", "2", "--warmup", "0", "--threads", "1")
SMALL_DATA = (
    *("--set", "data.synthetic.image_size=64", "--set", "data.synthetic.val_images=2"),
    *("--set", "data.synthetic.train_images=1", "--set", "export.parity_sizes=[[64, 64]]"),
)


def test_a_matrix_seals_a_run_and_stands_in_the_chapter(
    thesis, valid, workspace, tmp_path, monkeypatch
):
    made, odd = ["onnx", "onnx-fp16"], "onnx-nms"
    for name in set(FORMATS) - {*made, odd}:
        monkeypatch.delitem(FORMATS, name)
    lacking = ExportFormat(title="Odd", suffix=".odd", summary="odd", tools=("no_such",), extra="o")
    monkeypatch.setitem(FORMATS, odd, lacking)
    file = tmp_path / "nano.safetensors"
    save_weights(file, small_network(), {"variant": NAME})
    taken = ("--set", f"model.weights={file}", "--set", "data.root=synthetic")
    call = ("benchmark", "--matrix", "v3-nano", *SMALL_MATRIX, *SMALL_DATA, *taken)
    data = valid(thesis(*call, "--to", "vault", "--json", workspace=workspace))
    assert data["runs"] == ["v3-nano@1"]
    assert (data["formats"], list(data["missing"])) == (made, [odd])
    rows = {row["format"]: row for row in data["rows"]}
    assert set(rows) == {"torch", *made}
    assert rows["torch"]["ap"] is not None
    assert rows["onnx"]["state"] == "ran"
    assert rows["onnx"]["ratio"] > 0
    assert rows["onnx"]["latency"]["conditions"]["engine"] == "onnxruntime"
    note = workspace.vault / "04-Implementation" / "Technical-Documentation.md"
    assert "[[v3-nano@1]] | ONNX | ONNX Runtime" in unpadded(note.read_text(encoding="utf-8"))
    (checked,) = valid(thesis("runs", "verify", "--json", workspace=workspace))
    assert checked["intact"] is True


def test_a_matrix_without_weights_or_data_says_what_is_missing(thesis, workspace, weights):
    answer = thesis("benchmark", "--matrix", "v3-nano", workspace=workspace)
    assert answer.code == 3
    assert "thesis run v3-nano" in answer.err
    for option in (("--layers",), ("--engine", "onnxruntime"), ("--weights", weights)):
        answer = thesis("benchmark", "--matrix", "v2", *option, workspace=workspace)
        assert (answer.code, f"{option[0]} has no part in --matrix" in answer.err) == (2, True)
    assert thesis("benchmark", "--matrix", "v2", "--size", "64,96", workspace=workspace).code == 2
    answer = thesis("benchmark", "v2", "--to", "vault", workspace=workspace)
    assert (answer.code, "--matrix" in answer.err) == (2, True)
