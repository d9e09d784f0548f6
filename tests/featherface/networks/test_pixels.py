"""What a network takes in: channel order, mean and scale, wherever pictures are fed to one."""

import numpy as np
import pytest
import torch
from PIL import Image

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.engines.pytorch import PyTorchEngine
from featherface.export import onnx_file
from featherface.export.formats import WriterSettings
from featherface.inference.detect import detect
from featherface.networks.detector import build
from featherface.networks.pixels import converted, ordered_and_scaled
from featherface.training.config.distill import DistillConfig
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.cached_teachers import CachedTeachers
from featherface.training.distillation.distillation_loss import DistillationLoss
from featherface.training.distillation.terms import Teacher
from featherface.training.loop import train
from featherface.training.optimization.precision import Precision
from featherface.variants.config import LATER, DetectorConfig, identity
from featherface.variants.table import variant

RGB = {"channel_order": "rgb", "pixel_scale": 0.0078125, "pixel_mean": (127.5, 127.5, 127.5)}
COLOUR = np.array([10, 20, 30], np.uint8)
"""Blue, green, red of the pictures."""
CPU = torch.device("cpu")


class ShownError(Exception):
    """Ends a forward pass whose picture was seen."""


def seeing(model, *, stop=True):
    """Give the list that gets what MODEL is shown; its first picture is the last with STOP."""
    shown = []

    def look(_, given):
        shown.append(given[0].detach().clone())
        if stop:
            raise ShownError

    model.backbone.register_forward_pre_hook(look)
    return shown


def test_a_detection_shows_channels_in_the_networks_order_and_scale():
    config = variant("v2", **RGB)
    model = build(config, seed=0)
    shown = seeing(model)
    with pytest.raises(ShownError):
        detect(model, config, np.tile(COLOUR, (32, 64, 1)))
    assert shown[0].shape == (1, 3, 32, 64)
    wanted = [(value - 127.5) * 0.0078125 for value in (30, 20, 10)]
    assert shown[0][0, :, 5, 7].tolist() == wanted


@pytest.fixture(scope="module")
def plain_split(tmp_path_factory):
    """A train split of one picture of one colour."""
    root = tmp_path_factory.mktemp("plain") / "set"
    draw(root, SyntheticConfig(image_size=64, train_images=1, val_images=1, largest_face=40))
    split = open_split(root, "train")
    path = split.path(split.images[0])
    Image.fromarray(np.tile(COLOUR[::-1], (64, 64, 1))).save(path, quality=100, subsampling=0)
    return split


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_training_shows_channels_in_the_networks_order_and_scale(
    plain_split, tmp_path, channels_last
):
    config = TrainConfig(
        image_size=64,
        batch_size=1,
        device="cpu",
        augmentations=(),
        channels_last=channels_last,
        workers=0,
    )
    model = build(variant("v2", **RGB), seed=0)
    shown = seeing(model)
    with pytest.raises(ShownError):
        train(model, plain_split, config, folder=tmp_path / "out")
    wanted = [(value - 127.5) * 0.0078125 for value in (30, 20, 10)]
    # A JPEG keeps a colour to a step or two.
    np.testing.assert_allclose(shown[0][0, :, 5, 7], wanted, atol=2.5 * 0.0078125)


def test_pictures_made_for_one_network_become_those_of_another():
    pixels = torch.randint(0, 256, (2, 3, 8, 8), generator=torch.Generator().manual_seed(0)).float()
    configs = [variant("v2"), variant("v2", **RGB), variant("v2", pixel_mean=(0, 0, 0))]

    def taken_in(config):
        centred = pixels - torch.tensor(config.pixel_mean).view(3, 1, 1)
        return ordered_and_scaled(centred, config)

    for first in configs:
        for second in configs:
            images = converted(taken_in(first), first, second)
            assert torch.equal(images, taken_in(second))


def test_a_teacher_sees_pictures_as_it_was_trained_on_them_not_as_its_student(tmp_path):
    """In its own mean, order and scale; computed anew or for the cache."""
    student = build(variant("v3-nano"), seed=0)
    teacher = build(variant("v3-nano", **RGB), seed=1).eval()
    shown = seeing(teacher, stop=False)
    config, training = DistillConfig(teacher="v1", init_backbone=False), TrainConfig(device="cpu")
    loss = DistillationLoss(Teacher(teacher, "t", config), student, training, CPU)
    pixels = torch.randint(0, 256, (1, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    of_student = pixels - torch.tensor(student.config.pixel_mean).view(3, 1, 1)
    loss._teacher_output(teacher, of_student)
    precision = Precision(CPU, "no")
    cached = CachedTeachers([teacher], config, tmp_path, precision, student.config)
    cached.outputs_of(0, of_student, [b"a"])
    wanted = ordered_and_scaled(pixels - 127.5, teacher.config)
    assert [torch.equal(images, wanted) for images in shown] == [True, True]


def test_the_cache_of_a_teacher_knows_for_whom_pictures_were_made(tmp_path):
    """A conversion may round: its outputs are another file's; the same format is as before."""
    teacher = build(variant("v3-nano"), seed=1)
    given = ([teacher], DistillConfig(teacher="v1"), tmp_path, Precision(CPU, "no"))
    paths = [
        CachedTeachers(*given, made_for).caches[0].path
        for made_for in (None, variant("v2"), variant("v2", **RGB))
    ]
    assert paths[0] == paths[1] != paths[2]


def test_an_exported_file_says_how_its_pictures_are_made(tmp_path, monkeypatch):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "v3.onnx"
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch"])
        for name in ("images", "scores")
    ]
    node = onnx.helper.make_node("Identity", ["images"], ["scores"])
    graph = onnx.helper.make_graph([node], "any", ends[:1], ends[1:])
    any_network = onnx.helper.make_model(graph)
    monkeypatch.setattr(onnx_file, "network_graph", lambda *_: any_network)
    model = build(variant("v3-nano", **RGB), seed=0)
    onnx_file.write_onnx(model, path, WriterSettings(), "v3-nano")
    props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert props["channel_order"] == "rgb"
    assert float(props["pixel_scale"]) == 0.0078125
    assert props["pixel_mean_bgr"] == "[127.5, 127.5, 127.5]"
    assert '"channel_order": "rgb"' in props["model"]


def test_digests_of_a_network_stay_those_before_the_later_keys():
    """Predictions that an earlier version began go on; another order is another network."""
    config = DetectorConfig()
    assert not set(LATER) & set(identity(config))
    assert identity(variant("v2", channel_order="rgb"))["channel_order"] == "rgb"
    text = repr(config)
    for key, value in LATER.items():
        text = text.replace(f", {key}={value!r}", "")
    values = ", ".join(f"{key}={value!r}" for key, value in identity(config).items())
    assert text == f"DetectorConfig({values})"
    model = build(variant("v3-nano"), seed=0)
    first, second = (PyTorchEngine(model, variant("v2", **keys)) for keys in ({}, RGB))
    assert first.fingerprint() != second.fingerprint()
