from __future__ import annotations

import json
import pickle
import re
from collections import OrderedDict
from functools import cache

import numpy as np
import pytest
import torch
from stand_ins.published import FILES, raw_outputs, weights_file

from featherface.data.fingerprint import file_sha256
from featherface.errors import NotFoundError, UnavailableError, WeightsError
from featherface.networks.detector import build
from featherface.variants.table import VARIANTS, variant
from featherface.weights import checkpoints
from featherface.weights.checkpoints import (
    fitting_variants,
    load_backbone,
    load_weights,
    read_state,
    save_weights,
)
from featherface.weights.network_settings import SETTINGS, SOURCE_DIGEST

TWINS = ({"eca-cbam", "eca-cbam-parallel"}, {"retinaface-mnet025", "retinaface-1mb"})
"""Variants of the same tensors: a file alone can't tell them apart."""


class Dangerous:
    def __reduce__(self):
        return (print, ("this must never be printed",))


@pytest.fixture
def v2():
    return build(variant("v2"), 0)


def test_saved_weights_come_back(tmp_path, v2):
    path = tmp_path / "new" / "v2.safetensors"
    save_weights(path, v2, {"variant": "v2"})
    other = build(variant("v2"), 1)
    cleaning = load_weights(other, path, "v2")
    metadata = dict(cleaning.metadata)
    assert json.loads(metadata.pop(SETTINGS))["channels"] == 32
    assert metadata == {"variant": "v2"}
    assert cleaning.sentences() == []
    for name, value in v2.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_wrappers_prefixes_and_counters_are_stripped_and_reported(tmp_path, v2):
    state = OrderedDict((f"module.{name}", value) for name, value in v2.state_dict().items())
    state["module.total_ops"] = torch.zeros(1)
    state["module.backbone.total_params"] = torch.zeros(1)
    path = tmp_path / "wrapped.pth"
    torch.save({"epoch": 3, "state_dict": state}, path)
    cleaning = load_weights(build(variant("v2"), 1), path, "v2")
    assert (cleaning.wrapper, cleaning.beside) == ("state_dict", ("epoch",))
    assert (cleaning.prefixes, cleaning.counters) == (("module.",), 2)
    assert len(cleaning.sentences()) == 4


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ("body.stage1.0.0.weight", "backbone.stage1.0.0.weight"),
        ("stage2.1.3.weight", "backbone.stage2.1.3.weight"),
        ("fpn.output1.0.weight", "neck.lateral3.0.weight"),
        ("fpn.merge2.1.bias", "neck.merge4.1.bias"),
        ("ssh1.conv3X3.0.weight", "context.0.branch3.0.weight"),
        ("ssh3.conv7x7_3.1.bias", "context.2.branch7_last.1.bias"),
        ("ssh2_cs.3.weight", "shuffle.1.depthwise.weight"),
        ("bacbkbone_2_cbam.ChannelGate.mlp.1.weight", "attention.2.channel.reduce.weight"),
        ("ca_p4.conv_h.weight", "context_attention.1.expand_rows.weight"),
        ("bifpn.1.p5_w2", "neck.layers.1.fuse5.weight"),
        ("BboxHead.2.conv1x1.bias", "heads.tasks.boxes.2.bias"),
        ("ClassHead.0.conv1x1.weight", "heads.tasks.classes.0.weight"),
        ("LandmarkHead.1.conv1x1.weight", "heads.tasks.landmarks.1.weight"),
    ],
)
def test_published_names_become_ours(tmp_path, published, ours):
    path = tmp_path / "published.pth"
    torch.save({published: torch.zeros(1)}, path)
    state, _ = read_state(path)
    assert list(state) == [ours]


def test_another_variant_is_named(tmp_path, v2):
    path = tmp_path / "v2.safetensors"
    save_weights(path, v2)
    other = build(variant("v1"), 0)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(WeightsError, match=r"does not fit 'v1'.*it fits 'v2'") as caught:
        load_weights(other, path, "v1")
    assert caught.value.hint == "use --variant v2"
    assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())


def test_a_weight_of_another_shape_is_named(tmp_path, v2):
    name, path = next(iter(v2.state_dict())), tmp_path / "odd.pth"
    torch.save({**v2.state_dict(), name: torch.zeros(2, 3)}, path)
    with pytest.raises(WeightsError, match=rf"{re.escape(name)} has shape \(2, 3\), not \("):
        load_weights(build(variant("v2"), 1), path, "v2")


def test_weights_of_no_variant_name_the_first_difference(tmp_path, v2):
    path = tmp_path / "odd.safetensors"
    save_weights(path, torch.nn.Linear(2, 3))
    with pytest.raises(WeightsError, match="is missing; it fits no known variant"):
        load_weights(v2, path, "v2")


def test_every_variant_is_recognised(monkeypatch):
    monkeypatch.setattr(checkpoints, "build", cache(build))  # else each network 13 times
    for name, entry in VARIANTS.items():
        assert name in fitting_variants(build(entry.config).state_dict())


def test_a_pickle_that_wants_code_is_refused(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": Dangerous()}, path)
    with pytest.raises(WeightsError, match=r"wants to run code.*print"):
        read_state(path)
    path.write_bytes(pickle.dumps(Dangerous()))
    with pytest.raises(WeightsError):
        read_state(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x80\x02}q\x00.", b"PK\x03\x04broken"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_file_is_told(tmp_path, content, suffix):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        read_state(path)


def test_a_truncated_checkpoint_is_told(tmp_path, v2):
    path = tmp_path / "cut.pth"
    torch.save(v2.state_dict(), path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="can't be read"):
        read_state(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(NotFoundError, match=r"none\.pth"):
        read_state(tmp_path / "none.pth")


def test_nothing_half_written(tmp_path, v2, monkeypatch):
    path = tmp_path / "v2.safetensors"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("featherface.weights.checkpoints.save_file", full)
    with pytest.raises(UnavailableError, match="No space left"):
        save_weights(path, v2)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_backbone_without_one_is_told(tmp_path, v2):
    path = tmp_path / "odd.safetensors"
    save_weights(path, torch.nn.Linear(2, 3))
    with pytest.raises(WeightsError, match="holds no backbone that fits"):
        load_backbone(v2, path)


def test_a_detector_lends_its_backbone(tmp_path, v2):
    path = tmp_path / "v2.safetensors"
    save_weights(path, v2)
    other = build(variant("v1"), 1)
    load_backbone(other, path)
    assert torch.equal(other.backbone.stage1[0][0].weight, v2.backbone.stage1[0][0].weight)


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(FILES))
def test_published_weights_give_the_published_numbers(reference_data, name):
    config = variant(name)
    model = build(config).eval()
    load_weights(model, weights_file(reference_data, name), name)
    expected = raw_outputs(reference_data, name)
    image = expected["image_bgr"].astype(np.float32) - np.float32(config.pixel_mean)
    with torch.no_grad():
        output = model(torch.from_numpy(image).permute(2, 0, 1)[None])
    # What an exported file may differ by, too: the rounding of single precision in convolutions
    # whose order of additions is the processor's, through some hundred layers.
    np.testing.assert_allclose(output.boxes, expected["loc"], atol=1e-4)
    np.testing.assert_allclose(output.logits.softmax(-1), expected["conf"], atol=1e-4)
    np.testing.assert_allclose(output.landmarks, expected["landm"], atol=1e-4)


@pytest.mark.data
def test_published_weights_name_their_variant(reference_data):
    for name in FILES:
        state, _ = read_state(weights_file(reference_data, name))
        twins = next((twins for twins in TWINS if name in twins), {name})
        assert set(fitting_variants(state)) == twins


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "other", "needs"),
    [
        ("retinaface-1mb", "retinaface-mnet025", r"leak 0.0, prior_sizes \[\[10, 20\], "),
        ("retinaface-mnet025", "retinaface-1mb", r"leak 0.1, prior_sizes \[\[16, 32\], "),
        ("eca-cbam", "eca-cbam-parallel", "attention eca-cbam"),
    ],
)
def test_known_weights_are_refused_under_another_name_of_their_tensors(
    reference_data, tmp_path, name, other, needs
):
    """Under the other's priors or activations they would find something else, or nothing."""
    file, copied = weights_file(reference_data, name), tmp_path / "imported.safetensors"
    model = build(variant(name))
    load_weights(model, file, name)
    save_weights(copied, model, {SOURCE_DIGEST: file_sha256(file)})
    for path in (file, copied):
        with pytest.raises(WeightsError, match=f"weights of '{name}'.*{needs}") as caught:
            load_weights(build(variant(other)), path, other)
        assert caught.value.hint.startswith(f"use --variant {name}, ")
        load_weights(build(variant(other)), path, other, to_train=True)


@pytest.mark.data
def test_the_imagenet_backbone_loads(reference_data, v2):
    cleaning = load_backbone(v2, reference_data / "weights" / "mobilenetv1_025_imagenet.tar")
    assert (cleaning.wrapper, cleaning.prefixes) == ("state_dict", ("module.",))
    assert cleaning.classifier == 2
    state, _ = read_state(reference_data / "weights" / "mobilenetv1_025_imagenet.tar")
    assert torch.equal(v2.backbone.stage1[0][0].weight, state["backbone.stage1.0.0.weight"])
