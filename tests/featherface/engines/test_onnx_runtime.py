from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from featherface.engines.onnx_runtime import _providers
from featherface.engines.opening import engine_of, open_file
from featherface.engines.table import ENGINES
from featherface.errors import DataError, NotFoundError, UnavailableError, UsageError, WeightsError
from featherface.export.formats import WriterSettings
from featherface.export.onnx_file import write_onnx
from featherface.inference.detect import detect, predict
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

NETWORK = "v3-nano"
pytestmark = pytest.mark.usefixtures("traced_once")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = VariantCase(NETWORK, variant(NETWORK)).stirred()
    path = tmp_path_factory.mktemp("exported") / "network.onnx"
    write_onnx(model, path, WriterSettings(), NETWORK)
    return model, path


@pytest.mark.parametrize("size", [(64, 96), (101, 75), (33, 64), (250, 333)])
def test_a_picture_of_any_size_gives_the_detections_of_pytorch(exported, size):
    model, path = exported
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    wanted = detect(model, model.config, picture)
    given = detect(open_file(path), model.config, picture)
    assert len(wanted.scores) > 0
    # Each column by itself: where scores are equal to the last digit, the order may differ. Pixels:
    # the two add in another order, and deltas of 1e-6 are 1e-4 of the widest prior.
    for name in ("scores", "boxes", "landmarks"):
        pair = (np.sort(getattr(each, name), axis=0) for each in (given, wanted))
        np.testing.assert_allclose(*pair, atol=1e-2 if name != "scores" else 1e-5)


def test_the_file_tells_the_settings_of_its_network(exported):
    model, path = exported
    engine = open_file(path)
    assert engine.config == model.config
    assert engine.name == "onnxruntime" == engine_of(path)
    assert engine.device == torch.device("cpu")


def test_another_file_has_another_fingerprint(exported, tmp_path):
    _, path = exported
    other = tmp_path / "other.onnx"
    write_onnx(VariantCase(NETWORK, variant(NETWORK)).network(), other, WriterSettings(), NETWORK)
    assert open_file(path).fingerprint() == open_file(path).fingerprint()
    assert open_file(other).fingerprint() != open_file(path).fingerprint()


def test_a_damaged_file_is_told_in_a_sentence(exported, tmp_path):
    _, path = exported
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(WeightsError, match=r"can't run .*damaged\.onnx"):
        open_file(damaged)


def test_a_file_of_another_program_has_no_settings(exported, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported[1])
    del model.metadata_props[:]
    strange = tmp_path / "strange.onnx"
    onnx.save(model, strange)
    with pytest.raises(WeightsError, match="doesn't say which network"):
        open_file(strange)


def test_weights_alone_run_nowhere_and_a_missing_file_is_missing(tmp_path):
    with pytest.raises(UsageError, match="holds weights"):
        open_file(tmp_path / "best.safetensors")
    with pytest.raises(NotFoundError):
        open_file(tmp_path / "best.onnx")


def test_a_file_computes_in_the_precision_it_was_written_in(exported):
    engine = open_file(exported[1])
    with pytest.raises(UsageError, match="bf16"), engine.ready("bf16"):
        pass


def changed(exported, tmp_path, change):
    """Return the path of a copy of the exported file, its graph CHANGEd."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported[1])
    change(model)
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    return path


def test_a_file_of_another_operator_set_is_refused(exported, tmp_path):
    def older(model):
        for entry in model.opset_import:
            entry.version = 17

    with pytest.raises(WeightsError, match=r"operator set 17; those that run here are 19, 20, 21"):
        open_file(changed(exported, tmp_path, older))


def test_a_file_with_the_settings_of_another_network_is_refused(exported, tmp_path):
    def more_priors(model):
        entry = next(each for each in model.metadata_props if each.key == "model")
        settings = json.loads(entry.value)
        settings["prior_sizes"] = [[10, 20, 30], [40, 60, 80], [100, 200, 300]]
        entry.value = json.dumps(settings)

    with pytest.raises(WeightsError, match="another network than its settings tell"):
        open_file(changed(exported, tmp_path, more_priors))


def test_a_file_whose_answers_are_something_else_is_refused(exported, tmp_path):
    with pytest.raises(WeightsError, match="has no landmarks: its answers can't be decoded"):
        open_file(changed(exported, tmp_path, lambda model: model.graph.output.pop()))


def test_a_file_that_was_swapped_since_its_manifest_is_refused(exported, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(exported[1].read_bytes())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for told, fits in ((digest, True), ("0" * 64, False)):
        entry = {"path": "exports/network.onnx", "sha256": told}
        (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": [entry]}), "utf-8")
        if fits:
            assert open_file(path).config == exported[0].config
        else:
            with pytest.raises(WeightsError, match="changed or swapped since"):
                open_file(path)


def test_a_card_that_onnx_runtime_can_not_use_is_told(exported):
    with pytest.raises(UsageError, match="does not compute on cuda"):
        open_file(exported[1], device="cuda:0")
    with pytest.raises(UsageError, match="does not compute on mps"):
        open_file(exported[1], device="mps")
    assert _providers("cuda:1", ["CUDAExecutionProvider"])[0][1] == {"device_id": 1}


def test_an_engine_that_is_not_installed_is_told_with_how_to_install_it(exported, monkeypatch):
    kind = replace(ENGINES["onnxruntime"], needs="no-such-distribution", extra="fast")
    monkeypatch.setitem(ENGINES, "onnxruntime", kind)
    with pytest.raises(UnavailableError) as told:
        open_file(exported[1])
    assert told.value.hint == 'install it: python -m pip install "thesis[fast]"'


def test_the_precision_of_a_file_is_that_of_its_format(exported, tmp_path):
    def narrow(model):
        entry = model.metadata_props.add()
        entry.key, entry.value = "format", "onnx-int8"

    assert open_file(exported[1]).stored_in == "fp32"
    assert open_file(changed(exported, tmp_path, narrow)).stored_in == "int8"


def test_many_pictures_are_seen_side_by_side_with_the_same_answers(exported, tmp_path):
    """Each call computes on one thread, so that pictures share the cores and not their parts."""
    model, path = exported
    random = np.random.default_rng(0)
    for number in range(5):
        picture = random.integers(0, 256, (48 + 8 * number, 64, 3), np.uint8)
        (tmp_path / "0--A").mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "0--A" / f"{number}.png")
    many, at_once = open_file(path, 3).side_by_side()
    assert (many.name, at_once) == ("onnxruntime", 3)
    assert many.side_by_side() == (many, 1)
    given = predict(open_file(path, 3), model.config, tmp_path)
    wanted = predict(open_file(path, 1), model.config, tmp_path)
    assert list(given) == list(wanted)
    for name, rows in wanted.items():
        np.testing.assert_allclose(given[name], rows, atol=1e-2)


def test_a_fault_of_one_picture_among_many_is_told(exported, tmp_path):
    model, path = exported
    (tmp_path / "0--A").mkdir()
    for number in range(4):
        (tmp_path / "0--A" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(DataError):
        predict(open_file(path, 2), model.config, tmp_path)
