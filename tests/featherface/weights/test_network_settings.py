"""A weights file carries every setting of its network, and says so."""

import json
from dataclasses import fields

import pytest
import torch
from safetensors.torch import save_file

from featherface.errors import WeightsError
from featherface.networks.detector import build
from featherface.variants.config import DetectorConfig
from featherface.variants.table import VARIANTS, variant
from featherface.weights.checkpoints import load_weights, save_weights
from featherface.weights.network_settings import (
    SETTINGS,
    network_settings,
    overruled,
    read_metadata,
)
from featherface.weights.published_weights import PUBLISHED

ODD = {"leak": 0.3, "pixel_scale": 0.5, "channel_order": "rgb", "variances": (0.2, 0.3)}


@pytest.fixture
def odd(tmp_path):
    path = tmp_path / "odd.safetensors"
    save_weights(path, build(variant("v3-nano", **ODD), seed=0), {"variant": "v3-nano"})
    return path


def test_every_setting_is_in_the_file_and_comes_back(odd):
    kept = json.loads(read_metadata(odd)[SETTINGS])
    assert set(kept) == {field.name for field in fields(DetectorConfig)}
    known = network_settings(odd)
    assert (known.variant, known.config) == ("v3-nano", variant("v3-nano", **ODD))


def test_a_file_without_settings_says_nothing(tmp_path):
    path = tmp_path / "plain.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    assert network_settings(path) is None
    torch.save({"a": torch.zeros(1)}, tmp_path / "plain.pth")
    assert network_settings(tmp_path / "plain.pth") is None


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.variant)
def test_what_was_made_from_a_published_file_has_its_settings(tmp_path, entry):
    path = tmp_path / "imported.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"source_sha256": entry.sha256})
    known = network_settings(path)
    assert (known.variant, known.config) == (entry.variant, VARIANTS[entry.variant].config)


def test_settings_of_a_later_version_are_refused_not_overlooked(tmp_path):
    path = tmp_path / "later.safetensors"
    save_file({"a": torch.zeros(1)}, path, {SETTINGS: '{"leak": 0.1, "whiteness": 3}'})
    with pytest.raises(WeightsError, match=r"this version does not know.*whiteness"):
        network_settings(path)


def test_what_overrules_a_file_is_named_with_both_values(odd):
    assert overruled(odd, variant("v3-nano", **ODD)) == []
    (leak,) = overruled(odd, variant("v3-nano", **{**ODD, "leak": 0.2}))
    assert leak.startswith("model.leak = 0.2 wins over 0.3, which odd.safetensors was made with")
    assert overruled(odd, variant("v3-nano", **{**ODD, "leak": 0.2}), keys=["variances"]) == []


def test_weights_of_another_variant_of_the_same_tensors_are_refused(tmp_path):
    path = tmp_path / "own.safetensors"
    save_weights(path, build(variant("retinaface-1mb"), seed=0), {"variant": "retinaface-1mb"})
    peer = build(variant("retinaface-mnet025"), seed=0)
    with pytest.raises(WeightsError, match=r"weights of 'retinaface-1mb' \(its metadata\).*leak"):
        load_weights(peer, path, "retinaface-mnet025")
    load_weights(peer, path, "retinaface-mnet025", to_train=True)
    same = variant("retinaface-mnet025", leak=0.0, prior_sizes=((10, 20), (32, 64), (128, 256)))
    load_weights(build(same, seed=0), path, "retinaface-mnet025")
