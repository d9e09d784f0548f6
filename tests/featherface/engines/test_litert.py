from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from stand_ins.networks import every_network

from featherface.engines.litert import LiteRtEngine, open_file, priors_inside, too_large
from featherface.engines.opening import engine_of
from featherface.errors import UnavailableError, UsageError, WeightsError
from featherface.export import conversion_tools
from featherface.export.formats import FORMATS, WriterSettings
from featherface.export.rewrites import plain
from featherface.export.writing import WRITERS
from featherface.geometry.priors import priors
from featherface.inference.detect import detect
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

FIXED = (96, 128)
NETWORK = "v3-nano"


@pytest.mark.parametrize("name", every_network(("v1", "v2-vit")))
@pytest.mark.parametrize("size", [FIXED, (64, 96), (33, 75), (1, 128), (96, 8)])
def test_the_priors_of_a_smaller_picture_are_those_of_the_file_inside_it(name, size):
    config = variant(name)
    pixels = [
        priors(config, *each) * torch.tensor([each[1], each[0]] * 2) for each in (FIXED, size)
    ]
    torch.testing.assert_close(pixels[0][priors_inside(config, FIXED, size)], pixels[1])


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An engine over a session that a plain network answers for."""
    model = VariantCase(NETWORK, variant(NETWORK)).stirred()
    network = plain(model, FIXED)

    def look(images):
        with torch.no_grad():
            outputs = network(torch.from_numpy(images))
        return dict(zip(("boxes", "scores", "landmarks"), map(np.asarray, outputs), strict=True))

    session = type("Session", (), {"fixed_size": FIXED, "__call__": lambda _self, x: look(x)})()
    path = tmp_path_factory.mktemp("files") / "best.tflite"
    path.write_bytes(b"network")
    return LiteRtEngine(path, session, model.config), model


def test_a_smaller_picture_is_filled_up_with_the_mean_and_keeps_its_pixels(engine):
    lite, model = engine
    pictures = torch.randn(1, 3, 70, 90, generator=torch.Generator().manual_seed(0)) * 60
    filled = torch.zeros(1, 3, *FIXED)  # the mean is zero where the network takes it in
    filled[:, :, :70, :90] = pictures
    with torch.no_grad():
        raw, given = model(filled), lite(pictures)
    inside = torch.from_numpy(priors_inside(model.config, FIXED, (70, 90)))
    assert given.scores.shape[1] == len(priors(model.config, 70, 90))
    torch.testing.assert_close(given.boxes, raw.boxes[:, inside], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(given.landmarks, raw.landmarks[:, inside], atol=1e-5, rtol=1e-5)
    wanted = raw.logits.softmax(-1)[:, inside, 1]
    torch.testing.assert_close(given.scores, wanted, atol=1e-5, rtol=1e-5)


def test_a_picture_of_the_files_size_gives_the_detections_of_pytorch(engine):
    lite, model = engine
    picture = np.random.default_rng(1).integers(0, 256, (*FIXED, 3), np.uint8)
    wanted, given = detect(model, model.config, picture), detect(lite, model.config, picture)
    np.testing.assert_allclose(np.sort(given.scores), np.sort(wanted.scores), atol=1e-5)
    assert lite.fixed_size == FIXED


def test_a_larger_picture_is_refused_with_what_writes_a_file_for_it(engine):
    lite, model = engine
    with pytest.raises(UsageError, match=r"best\.tflite takes pictures up to 128x96") as told:
        detect(lite, model.config, np.zeros((97, 40, 3), np.uint8))
    assert "--image-size 128" in told.value.hint


def test_the_smaller_protocol_is_named_where_its_pictures_fit():
    for fixed, named in (((640, 640), True), ((512, 512), False)):
        hint = too_large(Path("best.tflite"), (800, 700), fixed).hint
        assert ("--protocol vga" in hint) is named, fixed
        assert hint.endswith("--format tflite --image-size 800")


def test_without_litert_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    path = tmp_path / "best.tflite"
    path.write_bytes(b"network")
    assert engine_of(path) == "litert"
    with pytest.raises(UnavailableError) as told:
        open_file(path)
    assert told.value.hint == 'python -m pip install "thesis[litert]"'


def test_a_damaged_file_is_told_in_a_sentence(tmp_path, monkeypatch):
    def refuse(**_options):
        raise ValueError("Model provided has model identifier 'netw', should be 'TFL3'\nmore")

    stand_in = SimpleNamespace(Interpreter=refuse)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", SimpleNamespace(interpreter=stand_in))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", stand_in)
    monkeypatch.setattr("featherface.engines.litert.read_metadata", lambda _content: {})
    path = tmp_path / "best.tflite"
    path.write_bytes(b"network")
    with pytest.raises(WeightsError, match=r"can't run .*best\.tflite: Model provided"):
        open_file(path)


@pytest.mark.external
@pytest.mark.slow
def test_a_converted_file_tells_its_network_and_gives_its_detections(tmp_path):
    pytest.importorskip("ai_edge_litert", reason='needs: pip install "thesis[litert]"')
    if conversion_tools.TOOLS["litert"].python() is None:
        pytest.skip(f"litert-torch is not here: {FORMATS['tflite'].install}")
    model = VariantCase(NETWORK, variant(NETWORK)).stirred()
    path = tmp_path / "best.tflite"
    WRITERS["tflite"](model, path, WriterSettings(image_size=96), NETWORK)
    lite = open_file(path)
    assert lite.config == model.config
    assert lite.fixed_size == (96, 96)
    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    wanted, given = detect(model, model.config, picture), detect(lite, model.config, picture)
    np.testing.assert_allclose(np.sort(given.scores), np.sort(wanted.scores), atol=1e-4)
