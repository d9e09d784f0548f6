"""A network that another engine computes: written on the fly, checked, kept, chosen."""

from __future__ import annotations

import shutil

import pytest
import torch

from featherface.engine_choice import conversion, fastest
from featherface.engine_choice.conversion import ConvertedEngine, convert, largest_difference
from featherface.engines.engine import Answer, Engine
from featherface.engines.pytorch import PyTorchEngine
from featherface.errors import UnavailableError, UsageError
from featherface.export import onnx_file
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

NETWORK = "v3-nano"
pytestmark = pytest.mark.usefixtures("traced_once")


@pytest.fixture(autouse=True)
def two_engines(monkeypatch):
    """PyTorch and ONNX Runtime are installed, whichever others this machine has."""
    monkeypatch.setattr(fastest, "installed", lambda name: name == "onnxruntime")


@pytest.fixture(scope="module")
def model():
    return VariantCase(NETWORK, variant(NETWORK)).stirred()


@pytest.fixture(scope="module")
def filled(model, tmp_path_factory):
    """A cache's folder that holds the network for ONNX Runtime."""
    folder = tmp_path_factory.mktemp("cache") / "engines"
    convert(model, NETWORK, "onnxruntime", folder=folder)
    return folder


@pytest.fixture
def kept(filled, tmp_path):
    shutil.copytree(filled.parent, tmp_path / "cache")
    return tmp_path / "cache" / "engines"


@pytest.fixture
def untraced(monkeypatch):
    """Let nothing be written anew."""

    def refuse(*_):
        raise AssertionError("the network is written again")

    monkeypatch.setattr(onnx_file, "_trace", refuse)


class Quick(Engine):
    """Gives the same answer to each picture at once."""

    name = "onnxruntime"

    def __init__(self, config, size=None):
        super().__init__(config, torch.device("cpu"))
        self.size = size

    @property
    def fixed_size(self):
        return self.size

    def __call__(self, pictures):
        return Answer(*(torch.zeros(len(pictures), 1, last) for last in (4, 1, 10)))

    def fingerprint(self):
        return "quick"


def test_a_converted_network_answers_as_pytorch_does(model, kept, untraced):
    engine = convert(model, NETWORK, "onnxruntime", folder=kept)
    assert engine.name == "onnxruntime"
    assert isinstance(engine, ConvertedEngine)
    assert 0 < engine.parity < 1e-4
    assert largest_difference(engine, PyTorchEngine(model)) == engine.parity


def test_pytorch_needs_no_file(model, tmp_path, untraced):
    assert convert(model, NETWORK, "torch", folder=tmp_path / "none").name == "torch"
    assert not (tmp_path / "none").exists()


def test_a_converted_network_goes_on_with_what_its_engine_predicted(model, kept, untraced):
    first, second = (convert(model, NETWORK, "onnxruntime", folder=kept) for _ in range(2))
    assert first.fingerprint() == second.fingerprint() != PyTorchEngine(model).fingerprint()


def test_a_kept_file_that_was_damaged_is_written_again(model, kept):
    (path,) = kept.glob("*.onnx")
    path.write_bytes(path.read_bytes()[:4000])
    assert convert(model, NETWORK, "onnxruntime", folder=kept).parity < 1e-4
    assert path.stat().st_size > 4000


def test_other_answers_than_pytorchs_are_refused_and_their_file_goes(
    model, kept, untraced, monkeypatch
):
    monkeypatch.setattr(conversion, "largest_difference", lambda *_: 0.25)
    with pytest.raises(UnavailableError, match=r"other answers than PyTorch, by 0\.25 at most"):
        convert(model, NETWORK, "onnxruntime", folder=kept)
    assert not list(kept.glob("*.onnx"))


def test_an_engine_for_the_processor_alone_refuses_another_device(model, tmp_path):
    with pytest.raises(UsageError, match="does not compute on mps"):
        convert(model, NETWORK, "onnxruntime", folder=tmp_path, device="mps")


@pytest.fixture
def quick(monkeypatch, model):
    monkeypatch.setattr(fastest, "convert", lambda *_, **__: Quick(model.config))


def test_auto_takes_what_is_fastest_and_keeps_what_it_measured(model, quick, tmp_path, monkeypatch):
    folder = tmp_path / "cache" / "engines"
    choice = fastest.fastest(model, NETWORK, 1000, folder=folder)
    assert choice.engine.name == "onnxruntime"
    assert "onnxruntime is the fastest here for 320 × 320 pixels: torch" in choice.reason
    (times,) = folder.glob("*.times.json")
    assert '"onnxruntime"' in times.read_text("utf-8")
    monkeypatch.setattr(fastest, "WARMUP", -10)  # what is measured again would have no median
    assert fastest.fastest(model, NETWORK, 1, folder=folder).engine.name == "onnxruntime"


def test_auto_measures_nothing_for_one_picture(model, tmp_path, monkeypatch):
    monkeypatch.setattr(fastest, "convert", None)
    choice = fastest.fastest(model, NETWORK, 1, folder=tmp_path / "cache" / "engines")
    assert (choice.engine.name, "takes longer than it saves" in choice.reason) == ("torch", True)


def test_auto_leaves_out_engines_that_give_other_answers_and_says_so(model, monkeypatch):
    def refuse(*_, **__):
        raise UnavailableError("ONNX Runtime gives other answers than PyTorch")

    monkeypatch.setattr(fastest, "convert", refuse)
    said = []
    choice = fastest.fastest(model, NETWORK, 1000, say=said.append)
    assert choice.engine.name == "torch"
    assert said == ["engine onnxruntime drops out: ONNX Runtime gives other answers than PyTorch"]


def test_auto_leaves_out_engines_of_one_size(model, monkeypatch):
    monkeypatch.setattr(fastest, "convert", lambda *_, **__: Quick(model.config, (64, 64)))
    said = []
    assert fastest.fastest(model, NETWORK, 1000, say=said.append).engine.name == "torch"
    assert said == ["engine onnxruntime drops out: it takes pictures of one size alone"]


def test_auto_stays_with_pytorch_on_a_card(model, monkeypatch):
    monkeypatch.setattr(fastest, "convert", None)
    assert fastest.fastest(model, NETWORK, 1000, device="cuda").engine.name == "torch"
