"""The family of ONNX files, each of one small network."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, numpy_helper
from PIL import Image
from stand_ins.small_exports import NAME, small_network, trace_once

from featherface.engines.onnx_runtime import OnnxSession
from featherface.engines.opening import open_file
from featherface.export import onnx_int8
from featherface.export.calibration import COUNT, LONGEST, drawn_pictures, pictures_in
from featherface.export.eight_bits.sensitive_blocks import choose
from featherface.export.formats import FORMATS, CalibrationPictures, ExportConfig, WriterSettings
from featherface.export.onnx_detections import read_detections
from featherface.export.writing import export
from featherface.inference.detect import detect_together, network_input

FEW = [np.ascontiguousarray(each[:96, :64]) for each in drawn_pictures(2).pictures]
SMALL = {"parity_sizes": ((64, 96), (75, 41)), "parity_batches": (1, 2)}


def few():
    return CalibrationPictures("few", FEW)


@pytest.fixture
def written(shared_folder, tmp_path, monkeypatch):
    """Write the network in one format, all blocks in 8 bits."""
    model = trace_once(shared_folder, monkeypatch)
    monkeypatch.setattr(onnx_int8, "choose", functools.partial(choose, limit=math.inf))

    def write(kind):
        settings = WriterSettings(run="nano@7", pictures=few)
        config = ExportConfig(formats=(kind,), **SMALL)
        (artifact,) = export(model, config, tmp_path, "best", NAME, settings)
        return artifact

    return write


def initializers(path, kind):
    graph = onnx.load(path).graph
    return [value for value in graph.initializer if value.data_type == kind]


ONNX = [name for name in FORMATS if name.startswith("onnx")]


@pytest.mark.parametrize(
    "kind", [ONNX[0], *(pytest.param(name, marks=pytest.mark.slow) for name in ONNX[1:])]
)
def test_a_file_tells_its_network_run_format_and_how_to_read_it(written, kind):
    artifact = written(kind)
    about = OnnxSession(artifact.path).metadata
    assert (about["variant"], about["run"], about["format"]) == (NAME, "nano@7", kind)
    assert json.loads(about["classes"]) == ["background", "face"]
    assert len(json.loads(about["landmarks"])) == 5
    assert all(about[key] for key in ("model", "licence", "preprocessing", "decoding"))
    assert open_file(artifact.path).config == small_network().config


def test_no_path_of_the_machine_is_in_a_file_and_nodes_are_named_after_modules(written):
    path = written("onnx").path
    content = path.read_bytes()
    for place in (Path(__file__).resolve().parents[3], Path(torch.__file__).parents[1]):
        assert str(place).encode() not in content
    names = [node.name for node in onnx.load(path).graph.node]
    assert len(set(names)) == len(names)
    assert "backbone.stem.0.0/Conv" in names


@pytest.mark.parametrize(("size", "batch"), [((75, 101), 3), ((64, 64), 1), ((33, 130), 2)])
def test_suppression_inside_finds_what_the_program_finds(written, size, batch):
    artifact = written("onnx-nms")
    engine, give = open_file(artifact.path), read_detections(artifact.path)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for _ in range(batch)]
    wanted = detect_together(engine, engine.config, pictures)
    tables = give(
        network_input(torch.from_numpy(np.stack(pictures)).float(), engine.config).numpy()
    )
    assert max(map(len, wanted)) > 3
    for table, detections in zip(tables, wanted, strict=True):
        assert len(table) == len(detections)
        assert table[:, :4] == pytest.approx(detections.boxes, abs=1e-3)
        assert table[:, 4] == pytest.approx(detections.scores, abs=1e-6)
        assert table[:, 5:] == pytest.approx(detections.landmarks, abs=1e-3)


def test_suppression_inside_gives_an_empty_table_where_there_is_nothing(written, tmp_path):
    model = onnx.load(written("onnx-nms").path)
    for node in model.graph.node:
        if node.output[0] == "decoding_least_score":
            node.attribute[0].floats[:] = [2.0]
    path = tmp_path / "nothing.onnx"
    onnx.save(model, path)
    assert [len(rows) for rows in read_detections(path)(np.zeros((2, 3, 64, 96), np.float32))] == [
        0,
        0,
    ]


@pytest.mark.slow
def test_half_precision_halves_the_file_and_hardly_moves_the_answers(written):
    single, half = written("onnx"), written("onnx-fp16")
    assert half.megabytes < 0.7 * single.megabytes
    assert 1e-7 < half.parity < 0.05
    assert initializers(half.path, TensorProto.FLOAT16)
    graph = onnx.load(half.path).graph
    ends = {value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
    assert ends == {TensorProto.FLOAT}


@pytest.mark.slow
def test_dynamic_integers_hold_every_convolution(written):
    single, integers = written("onnx"), written("onnx-int8-dynamic")
    kinds = [node.op_type for node in onnx.load(integers.path).graph.node]
    assert kinds.count("ConvInteger") == integers.details["quantised_layers"] > 50
    assert "Conv" not in kinds
    assert integers.megabytes < single.megabytes


def test_static_integers_have_a_scale_for_each_channel_and_seven_bits(written):
    artifact = written("onnx-int8")
    weights = {
        value.name: numpy_helper.to_array(value)
        for value in initializers(artifact.path, TensorProto.INT8)
    }
    kernels = [value for value in weights.values() if value.ndim == 4]
    assert 50 < len(kernels) <= artifact.details["quantised_layers"]  # heads share theirs
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) <= 64
    scales = {len(value) for name, value in weights.items() if value.ndim == 1}
    assert max(scales) > 1
    assert artifact.details["calibration"] == {"pictures": 2, "from": "few"}
    assert artifact.details["sensitive_blocks"] == {}
    assert 0 < artifact.details["quantisation_error"] < 1
    assert math.isfinite(artifact.parity)


@pytest.mark.slow
def test_a_quantised_file_computes_the_same_with_optimisations_on(written):
    """Else an optimisation has broken it: a padding folded into the pooling after it, say."""
    path = written("onnx-int8").path
    plain = ort.SessionOptions()
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    unoptimised = ort.InferenceSession(path, plain, providers=["CPUExecutionProvider"])
    images = 40 * np.random.default_rng(0).standard_normal((1, 3, 64, 96)).astype(np.float32)
    scores = OnnxSession(path)(images)["scores"]
    assert scores == pytest.approx(unoptimised.run(["scores"], {"images": images})[0], abs=0.05)


def test_pictures_to_calibrate_on_are_spread_over_a_folder_and_shrunk(tmp_path):
    for number in range(3 * COUNT):
        Image.new("RGB", (2 * LONGEST, 100), (number, 0, 0)).save(tmp_path / f"{number:03d}.png")
    found = pictures_in(tmp_path)
    assert found.origin == tmp_path.name
    assert [int(picture[0, 0, 2]) for picture in found.pictures] == list(range(0, 48, 3))
    assert {picture.shape for picture in found.pictures} == {(50, LONGEST, 3)}


def test_drawn_pictures_are_the_same_every_time():
    first, second = drawn_pictures(2), drawn_pictures(2)
    assert first.origin == "drawn"
    assert (np.stack(first.pictures) == np.stack(second.pictures)).all()
