from __future__ import annotations

import numpy as np
import pytest
import torch

from featherface.engines.opening import engine_of, open_file
from featherface.errors import NotFoundError, UsageError, WeightsError
from featherface.export.formats import WriterSettings
from featherface.export.onnx_file import write_onnx
from featherface.inference.detect import detect
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

NETWORK = "v3-nano"


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
