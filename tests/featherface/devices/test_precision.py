"""Numbers are measured in the precision that they say, whatever a card or a training prefers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from stand_ins.networks import every_network
from stand_ins.published import FILES, weights_file
from torch.utils._python_dispatch import TorchDispatchMode

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.devices import precision
from featherface.devices.precision import PRECISIONS, computing
from featherface.engines.onnx_runtime import OnnxSession
from featherface.errors import UsageError
from featherface.evaluation.config import EvaluateConfig
from featherface.export import writing
from featherface.export.deployed import deployed
from featherface.export.formats import ExportConfig
from featherface.export.writing import export
from featherface.inference.detect import detect
from featherface.networks.detector import build
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.timing import latency
from featherface.training.config.train import TrainConfig
from featherface.training.loop import make_accelerator, train
from featherface.training.optimization.moving_average import MovingAverage
from featherface.validation.case import VariantCase
from featherface.variants.table import variant
from featherface.weights.checkpoints import load_weights

SMALL = ExportConfig(parity_sizes=((64, 96),))


class TensorCores(TorchDispatchMode):
    """Stands in for a card of the generation Ampere or later, on which some networks live.

    It rounds what their convolutions and matrix products are given to 10 bits of mantissa, as
    cuDNN does by default. A HEEDLESS one does so whatever PyTorch's switches say.
    """

    def __init__(self, *networks, heedless=False):
        super().__init__()
        self.held = {one.data_ptr() for network in networks for one in network.parameters()}
        self.heedless = heedless
        self.rounded = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = list(args)
        name = str(func)
        real = [one for one in given if type(one) in (torch.Tensor, torch.nn.Parameter)]
        ours = any(one.data_ptr() in self.held for one in real)  # those that are traced have none
        if ours and "conv" in name and "backward" not in name and self.rounds("conv"):
            given[:2] = [round_mantissa(one) for one in given[:2]]
            self.rounded += 1
        elif ours and name.startswith(("aten.mm", "aten.addmm", "aten.bmm")) and self.rounds("mm"):
            given = [round_mantissa(one) if isinstance(one, torch.Tensor) else one for one in given]
            self.rounded += 1
        return func(*given, **(kwargs or {}))

    def rounds(self, what):
        switch = torch.backends.cudnn.conv if what == "conv" else torch.backends.cuda.matmul
        return self.heedless or switch.fp32_precision == "tf32"


def round_mantissa(tensor):
    """Round to the nearest float of 10 bits of mantissa, as TF32 has."""
    if tensor.dtype != torch.float32:
        return tensor
    bits = tensor.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def pictures(seed=0, size=(64, 96)):
    generator = torch.Generator().manual_seed(seed)
    return 60 * torch.randn(2, 3, *size, generator=generator)


def loud(name="v2", reach=5.0):
    """A network whose answers are as large as a trained one's."""
    model = VariantCase(name, variant(name)).stirred()
    with torch.no_grad():
        factor = reach / model(pictures()).boxes.abs().max()
        for value in model.heads.parameters():
            value.mul_(factor)
    return model


@pytest.fixture(scope="module")
def network():
    return loud()


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=64, train_images=2, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return open_split(root, "train")


def picture():
    return np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)


def answers(model, images):
    with torch.inference_mode():
        raw = model(images)
    return torch.cat([raw.boxes, raw.logits, raw.landmarks], dim=-1)


def apart(one, other):
    return (one - other).abs().max().item()


def test_rounding_keeps_ten_bits_of_the_mantissa():
    step = 2.0**-10
    given = torch.tensor([1.0, 1 + step, 1 + 0.49 * step, -1 - 0.51 * step, 3.0e38])
    found = round_mantissa(given)
    assert found[:4].tolist() == [1.0, 1 + step, 1.0, -1 - step]
    assert found[4].item() == pytest.approx(3.0e38, rel=step / 2)


def test_a_card_rounds_by_default_and_not_when_asked_for_full_precision(network):
    exact = answers(network, pictures(3))
    with TensorCores(network) as card:
        rounded = answers(network, pictures(3))
        assert card.rounded > 20
        card.rounded = 0
        with computing(network):
            assert torch.equal(answers(network, pictures(3)), exact)
        assert card.rounded == 0
    assert apart(rounded, exact) > 1e-3


def switches():
    return [one.fp32_precision for one in precision._operations()]


def test_every_switch_is_as_before_afterwards(network):
    before = switches()
    try:
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.set_float32_matmul_precision("medium")
        chosen = switches()
        with computing(network):
            assert set(switches()) == {"ieee"}
        assert switches() == chosen
        with pytest.raises(RuntimeError, match="stopped"), computing(network):
            raise RuntimeError("stopped")
        assert switches() == chosen
        assert torch.backends.cuda.matmul.allow_tf32
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
        for one, value in zip(precision._operations(), before, strict=True):
            one.fp32_precision = value


def test_autocast_around_a_measurement_changes_nothing(network):
    exact = answers(network, pictures(3))
    with torch.autocast("cpu", torch.bfloat16):
        assert apart(answers(network, pictures(3)), exact) > 1e-2
        with computing(network):
            assert torch.equal(answers(network, pictures(3)), exact)
        assert torch.is_autocast_enabled("cpu")
    with computing(network, "bf16"):
        half = answers(network, pictures(3))
    assert half.isfinite().all()
    assert apart(half, exact) > 1e-2
    assert not torch.is_autocast_enabled("cpu")


def test_what_mixed_precision_laid_over_the_network_is_put_aside(network):
    model = copy.deepcopy(network)
    exact = answers(model, pictures(3))
    wrapped = make_accelerator(TrainConfig(device="cpu", amp="bf16")).prepare(model)
    assert apart(answers(wrapped, pictures(3)), exact) > 1e-2
    with computing(model):
        assert torch.equal(answers(model, pictures(3)), exact)
    assert apart(answers(wrapped, pictures(3)), exact) > 1e-2  # and is back for the training


@pytest.mark.parametrize(
    ("name", "capability", "message"),
    [
        ("tf32", (6, 1), "cuda:1 computes in fp32"),
        ("tf32", (7, 5), "cuda:1 computes in fp32"),
        ("tf32", (8, 6), ""),
        ("tf32", None, "cpu computes in fp32"),
        ("fp16", None, "fp16 needs a GPU"),
        ("bf16", None, ""),
        ("fp16", (6, 1), ""),
    ],
)
def test_a_device_is_never_said_to_compute_in_what_it_can_not(
    monkeypatch, name, capability, message
):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    device = torch.device("cuda:1" if capability else "cpu")
    if message:
        with pytest.raises(UsageError, match=message) as caught:
            precision.require(name, device)
        assert "fp32" in caught.value.hint
    else:
        precision.require(name, device)


@pytest.mark.parametrize("config", [EvaluateConfig, BenchmarkConfig])
def test_a_recipe_names_only_what_there_is(config):
    with pytest.raises(
        UsageError, match=r"\.precision: no precision 'fp23'; did you mean 'fp32'\?"
    ):
        config(precision="fp23")
    assert config().precision == "fp32"
    assert all(config(precision=one).precision == one for one in PRECISIONS)


def test_another_precision_is_part_of_what_an_evaluation_is():
    assert EvaluateConfig().identity == "original"
    assert EvaluateConfig(precision="bf16").identity == "original (precision=bf16)"
    both = EvaluateConfig(precision="tf32", decision=0.3)
    assert both.departures(decided=True) == {"decision": 0.3, "precision": "tf32"}


def test_faces_are_looked_for_in_full_precision(network):
    image = picture()
    exact = detect(network, network.config, image)
    with TensorCores(network), torch.autocast("cpu", torch.bfloat16):
        found = detect(network, network.config, image)
    assert len(exact.scores)
    np.testing.assert_array_equal(found.scores, exact.scores)
    np.testing.assert_array_equal(found.boxes, exact.boxes)
    other = detect(network, network.config, image, EvaluateConfig(precision="bf16"))
    assert not np.array_equal(other.scores[:5], exact.scores[:5])


def test_the_best_weights_are_chosen_in_the_precision_they_are_measured_in(tmp_path, split):
    """A training in half precision judges its weights as the evaluation will."""
    judged = []
    model = build(variant("v2"), seed=0)
    config = TrainConfig(
        epochs=1, batch_size=2, image_size=64, device="cpu", amp="bf16", ema=0.0, workers=0
    )

    def judge(network, epoch):
        found = detect(network, network.config, picture(), EvaluateConfig(score_threshold=0.0))
        judged.append((copy.deepcopy(network.state_dict()), found.scores))
        return {"mean_ap": 0.5}

    train(model, split, config, folder=tmp_path, evaluate=judge)
    ((state, scores),) = judged
    alone = build(variant("v2"), seed=1)
    alone.load_state_dict(state)
    again = detect(alone, alone.config, picture(), EvaluateConfig(score_threshold=0.0))
    np.testing.assert_array_equal(again.scores, scores)


def test_a_latency_says_its_precision(network):
    config = BenchmarkConfig(image_size=64, runs=1, warmup=0, device="cpu")
    assert latency(network, config).precision == "fp32"
    seen = []

    class Watching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Conv2d(3, 2, 1)

        def forward(self, images):
            answer = self.inner(images)
            seen.append((answer.dtype, switches()[0]))
            return answer

    half = BenchmarkConfig(image_size=64, runs=1, warmup=0, device="cpu", precision="bf16")
    assert latency(Watching(), half).precision == "bf16"
    latency(Watching(), config)
    assert seen == [(torch.bfloat16, "ieee"), (torch.float32, "ieee")]
    with pytest.raises(UsageError, match="precision tf32: cpu computes in fp32"):
        latency(network, BenchmarkConfig(image_size=64, device="cpu", precision="tf32"))


# Exports -----------------------------------------------------------------------------------------


def compared_on_the_card(model, run, size):
    """The comparison as it would be if the network were asked where it lives."""
    images = pictures(0, size)
    found = run(images.numpy())
    with torch.inference_mode():
        raw = model(images)
    return apart(torch.as_tensor(found["boxes"]), raw.boxes)


class Written:
    """Stands in for a written file and the program that runs it: exact, and made at once."""

    def __init__(self, monkeypatch):
        self.model = None
        monkeypatch.setitem(
            writing.WRITERS, "onnx", lambda model, path, *_: self.write(model, path)
        )
        monkeypatch.setitem(writing.RUNNERS, "onnx", lambda _path: self.run)

    def write(self, model, path):
        self.model = deployed(model).double()
        path.write_bytes(b"a network")

    def run(self, images):
        with torch.inference_mode():
            raw = self.model(torch.as_tensor(images).double())
        parts = {"boxes": raw.boxes, "scores": raw.logits.softmax(-1), "landmarks": raw.landmarks}
        return {name: part.float().numpy() for name, part in parts.items()}


@pytest.mark.parametrize("heedless", [False, True])
def test_the_comparison_is_not_made_on_the_card(tmp_path, monkeypatch, network, heedless):
    written = Written(monkeypatch)
    with TensorCores(network, heedless=heedless):
        (artifact,) = export(network, SMALL, tmp_path, "best", "v2")
        on_the_card = compared_on_the_card(network, written.run, (64, 96))
    assert on_the_card > 10 * SMALL.tolerance
    assert artifact.parity <= SMALL.tolerance


def test_the_training_goes_on_as_it_was(tmp_path, monkeypatch, network, alone_together):
    written = Written(monkeypatch)
    model = copy.deepcopy(network).train()
    make_accelerator(TrainConfig(device="cpu", amp="bf16")).prepare(model)
    with TensorCores(model):
        (artifact,) = export(ddp(model), SMALL, tmp_path, "best", "v2")
    assert artifact.parity <= SMALL.tolerance
    assert model.training
    assert apart(answers(written.model, pictures(3).double()), answers(network, pictures(3))) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("heedless", [False, True])
def test_a_card_that_rounds_does_not_refuse_its_own_export(tmp_path, network, heedless):
    with TensorCores(network, heedless=heedless):
        (artifact,) = export(network, SMALL, tmp_path, "best", "v2")
        on_the_card = compared_on_the_card(network, OnnxSession(artifact.path), (64, 96))
    assert on_the_card > 10 * SMALL.tolerance
    assert artifact.parity <= SMALL.tolerance


def ddp(model):
    return torch.nn.parallel.DistributedDataParallel(model)


@pytest.fixture
def alone_together(tmp_path):
    """A group of one process, as torchrun makes it."""
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def test_a_network_is_deployed_whatever_was_laid_over_it(network, alone_together):
    """In training, wrapped for several processes and for mixed precision, averaged: no matter."""
    exact = answers(network, pictures(3))
    model = copy.deepcopy(network).train()
    average = MovingAverage(model, 0.9)
    make_accelerator(TrainConfig(device="cpu", amp="bf16")).prepare(model)
    for one in (ddp(model), model, average.model, copy.deepcopy(network).half()):
        bare = deployed(one)
        assert type(bare) is type(network)
        assert not bare.training
        assert {value.dtype for value in bare.parameters()} == {torch.float32}
        tolerance = 0.0 if one is not average.model else 1e-6
        if next(one.parameters()).dtype == torch.float32:
            assert apart(answers(bare, pictures(3)), exact) <= tolerance
    assert model.training


@pytest.mark.slow
def test_a_wrapped_network_is_exported(tmp_path, network, alone_together):
    model = copy.deepcopy(network).train()
    make_accelerator(TrainConfig(device="cpu", amp="bf16")).prepare(model)
    exact = answers(network, pictures(3))
    with TensorCores(model):
        (artifact,) = export(ddp(model), SMALL, tmp_path, "best", "v2")
    assert artifact.parity <= SMALL.tolerance
    found = OnnxSession(artifact.path)(pictures(3).numpy())
    assert apart(torch.as_tensor(found["boxes"]), exact[..., :4]) <= SMALL.tolerance


def test_a_copy_answers_for_itself():
    """Mixed precision lays a forward pass over the network that a plain copy would share."""
    model = loud()
    make_accelerator(TrainConfig(device="cpu", amp="bf16")).prepare(model)
    bare = deployed(model)
    before = answers(bare, pictures(3))
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    assert torch.equal(answers(bare, pictures(3)), before)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_trained_weights_are_exported_on_a_card_that_rounds(reference_data, tmp_path, name):
    model = build(variant(name))
    load_weights(model, weights_file(reference_data, name), name)
    model.train()
    with TensorCores(model):
        config = ExportConfig(parity_sizes=((320, 320),))
        (artifact,) = export(model, config, tmp_path, "best", name)
        run = OnnxSession(artifact.path)
        on_the_card = compared_on_the_card(model.eval(), run, (320, 320))
    assert on_the_card > 10 * config.tolerance
    assert artifact.parity <= config.tolerance == ExportConfig().tolerance


@pytest.mark.parametrize("name", every_network())
def test_every_network_is_measured_in_half_precision_where_asked(name):
    model = VariantCase(name, variant(name)).stirred()
    settings = [EvaluateConfig(score_threshold=0.0, precision=one) for one in ("fp32", "bf16")]
    exact, half = (detect(model, model.config, picture(), one) for one in settings)
    # bfloat16 keeps 8 bits, 2^-9 of rounding in each of some hundred layers; of a probability.
    assert half.scores[:3] == pytest.approx(exact.scores[:3], abs=0.02)
    assert not np.array_equal(half.scores[:3], exact.scores[:3])
