from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, replace

import pytest
import torch
from stand_ins.networks import every_network

from featherface.engines.onnx_runtime import OnnxSession
from featherface.engines.table import ENGINES
from featherface.errors import UnavailableError, UsageError
from featherface.export import writing
from featherface.export.formats import FORMATS, ExportConfig, ExportFormat, WriterSettings
from featherface.export.writing import Artifact, differences, export
from featherface.networks.detector import build
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

SIZES = {(320, 320): (1, 8), (101, 75): (3,), (480, 640): (2,), (1024, 1024): (1,)}
"""Heights and widths; pictures have any, so not only multiples of 32."""


USUAL = ("v1", "retinaface-mnet025")
"""With deformable convolutions and without."""


@pytest.fixture(scope="module", params=every_network(USUAL))
def exported(request, shared_folder):
    """A network, and what exporting it told; the file is written once for all processes."""
    name = request.param
    model = VariantCase(name, variant(name)).stirred()

    def write(folder):
        folder.mkdir()
        config = ExportConfig(parity_sizes=((64, 96),))
        (artifact,) = export(model, config, folder, "best", name)
        told = json.dumps({**asdict(artifact), "path": artifact.path.name})
        (folder / "told.json").write_text(told, encoding="utf-8")

    folder = shared_folder(f"exported-{name}", write)
    told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    return name, model, Artifact(**{**told, "path": folder / told["path"]})


@pytest.mark.slow
def test_the_file_computes_the_same_at_every_size(exported):
    _, model, artifact = exported
    run = OnnxSession(artifact.path)
    for size, batches in SIZES.items():
        for batch in batches:
            found = differences(model, run, size, batch)
            # Single precision in two programs, whose order of additions is the processor's.
            # Each by itself: the largest of several may hide what is no number.
            assert found["boxes"] <= 1e-4, (size, batch)
            assert found["scores"] <= 1e-4, (size, batch)
            assert math.isfinite(found["landmarks"]), (size, batch)


def test_the_artifact_describes_the_file(exported):
    name, _, artifact = exported
    content = artifact.path.read_bytes()
    assert artifact.path.name == "best.onnx"
    assert artifact.sha256 == hashlib.sha256(content).hexdigest()
    assert artifact.megabytes == pytest.approx(len(content) / 1e6)
    assert artifact.parity <= 1e-4
    metadata = OnnxSession(artifact.path)._session.get_modelmeta().custom_metadata_map
    assert metadata["variant"] == name
    wanted = [list(sizes) for sizes in variant(name).prior_sizes]
    assert json.loads(metadata["prior_sizes"]) == wanted


def test_deformable_convolutions_are_native(exported):
    onnx = pytest.importorskip("onnx")
    name, _, artifact = exported
    kinds = [node.op_type for node in onnx.load(artifact.path).graph.node]
    assert kinds.count("DeformConv") == (15 if "deformable" in variant(name).context else 0)
    assert "GridSample" not in kinds


@pytest.mark.parametrize("exported", ["v1"], indirect=True)
@pytest.mark.parametrize("preprocessed", [False, True])
def test_no_padding_is_folded_into_the_max_pooling_behind_it(exported, tmp_path, preprocessed):
    """ONNX Runtime pads a pooling with minus infinity: a zero pad folded into it answers wrongly.

    With its size fixed the pads become constants, which is when it folds; and what prepares a file
    for quantisation writes the folding down.
    """
    onnx = pytest.importorskip("onnx")
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415
    from onnxruntime.tools.onnx_model_utils import make_dim_param_fixed  # noqa: PLC0415

    _, model, artifact = exported
    fixed = onnx.load(artifact.path)
    for name, value in (("batch", 1), ("height", 64), ("width", 96)):
        make_dim_param_fixed(fixed.graph, name, value)
    path = tmp_path / "fixed.onnx"
    onnx.save(fixed, path)
    if preprocessed:
        quant_pre_process(str(path), str(tmp_path / "prepared.onnx"), skip_symbolic_shape=True)
        path = tmp_path / "prepared.onnx"
    found = differences(model, OnnxSession(path), (64, 96))
    assert found["boxes"] <= 1e-4
    assert found["scores"] <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("exported", ["v2-ultra"], indirect=True)
def test_the_gates_of_contextual_sharing_are_in_the_file(exported):
    onnx = pytest.importorskip("onnx")
    _, model, artifact = exported
    graph = onnx.load(artifact.path).graph
    held = [onnx.numpy_helper.to_array(one).ravel() for one in graph.initializer]
    for gate in model.context.gates:
        weight = gate.score.weight.detach().numpy().ravel()
        assert any(one.shape == weight.shape and (one == weight).all() for one in held)


def test_a_file_that_computes_something_else_is_removed(tmp_path, monkeypatch):
    def swapped(model, path, settings, name):
        other = build(model.config, 99).eval()
        writing.write_onnx(other, path, settings, name)

    monkeypatch.setitem(writing.WRITERS, "onnx", swapped)
    config = ExportConfig(parity_sizes=((64, 64),))
    model = VariantCase("retinaface-mnet025", variant("retinaface-mnet025")).stirred()
    with pytest.raises(UnavailableError, match="differs from the network"):
        export(model, config, tmp_path, "odd", "retinaface-mnet025")
    assert list(tmp_path.iterdir()) == []


def test_a_converter_that_knows_no_way_ends_its_format_alone(tmp_path, monkeypatch):
    def stumble(_model, _path, _settings, _name):
        raise RuntimeError("no such operator\nmany more lines")

    monkeypatch.setitem(writing.WRITERS, "onnx", stumble)
    model = build(variant("retinaface-mnet025"), 0).eval()
    with pytest.raises(
        UnavailableError, match=r"retinaface-mnet025: RuntimeError: no such operator$"
    ):
        export(model, ExportConfig(), tmp_path, "odd", "retinaface-mnet025")


@pytest.fixture
def written_with(monkeypatch, tmp_path):
    """Export a network to a file whose answers are its own but for a difference in one of them."""
    model = build(variant("retinaface-mnet025"), 0).eval()

    def session(name, difference):
        def run(images):
            with torch.inference_mode():
                raw = model(torch.from_numpy(images))
            answers = {"boxes": raw.boxes, "scores": raw.logits.softmax(-1)}
            answers["landmarks"] = raw.landmarks
            return answers | {name: answers[name] + difference}

        return lambda path: run

    def export_it(name, difference):
        def write(_model, path, _settings, _name):
            path.write_bytes(b"a network")

        monkeypatch.setitem(writing.WRITERS, "onnx", write)
        monkeypatch.setitem(writing.RUNNERS, "onnx", session(name, difference))
        config = ExportConfig(parity_sizes=((32, 64),), parity_batches=(1,), tolerance=1e-3)
        return export(model, config, tmp_path, "odd", "retinaface-mnet025")

    return export_it


@pytest.mark.parametrize("name", ["boxes", "scores"])
def test_a_file_that_differs_is_removed(written_with, tmp_path, name):
    with pytest.raises(UnavailableError, match="differs from the network"):
        written_with(name, 2e-3)
    assert list(tmp_path.iterdir()) == []
    (artifact,) = written_with(name, 5e-4)
    # float32 numbers of up to about ten hold a difference to some 1e-6
    assert artifact.parity == pytest.approx(5e-4, abs=5e-6)


def test_landmarks_have_no_limit(written_with):
    (artifact,) = written_with("landmarks", 0.5)
    assert artifact.parity < 1e-5
    assert artifact.landmarks_parity == pytest.approx(0.5, abs=1e-5)


def test_every_format_has_a_writer_and_each_that_runs_here_a_runner():
    assert set(FORMATS) == set(writing.WRITERS)
    assert {name for name, form in FORMATS.items() if form.engine} <= set(writing.RUNNERS)
    assert set(writing.RUNNERS) <= set(FORMATS)
    assert len({form.suffix for form in FORMATS.values()}) == len(FORMATS)
    assert {form.engine for form in FORMATS.values()} <= {"", *ENGINES}


@pytest.fixture
def format_that_nothing_runs(monkeypatch):
    """A format with a tool that is not installed and no engine; its writer writes four bytes."""
    form = ExportFormat(
        title="Odd", suffix=".odd", summary="odd", tools=("no_such_module",), extra="odd"
    )
    monkeypatch.setitem(FORMATS, "odd", form)
    write = lambda model, path, settings, name: path.write_bytes(b"odd!") and {"run": settings.run}  # noqa: E731
    monkeypatch.setitem(writing.WRITERS, "odd", write)
    return form


def test_a_missing_tool_is_answered_with_the_command_that_installs_it(
    format_that_nothing_runs, tmp_path
):
    model = build(variant("v3-nano"), 0).eval()
    with pytest.raises(UnavailableError, match="Odd needs no_such_module") as error:
        export(model, ExportConfig(formats=("odd",)), tmp_path, "best", "v3-nano")
    assert error.value.hint == 'python -m pip install "thesis[odd]"'


def test_a_file_that_no_engine_runs_has_no_parity(format_that_nothing_runs, tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "odd", replace(format_that_nothing_runs, tools=()))
    model = build(variant("v3-nano"), 0).eval()
    config, settings = ExportConfig(formats=("odd",)), WriterSettings(run="v3@1")
    (artifact,) = export(model, config, tmp_path, "best", "v3-nano", settings)
    assert (artifact.parity, artifact.landmarks_parity, artifact.sizes) == (None, None, ())
    assert (artifact.path.read_bytes(), artifact.details) == (b"odd!", {"run": "v3@1"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("formats", ("onxx",)),
        ("opset", 11),
        ("parity_sizes", ((100, 0),)),
        ("parity_batches", ()),
        ("tolerance", 0),
    ],
)
def test_an_illegal_value_names_the_key(key, value):
    with pytest.raises(UsageError, match=rf"export\.{key}"):
        ExportConfig(**{key: value})
