"""No key of a network is taken without effect: each changes it, or is refused."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import pytest
import torch

from featherface.errors import UsageError
from featherface.geometry.priors import priors
from featherface.networks.detector import build
from featherface.variants.config import CHOICES, DetectorConfig
from featherface.variants.idle_keys import READERS, without_idle
from featherface.variants.table import VARIANTS, variant

OTHER = {
    "channels": lambda value: value + 32,
    "repeats": lambda value: value + 1,
    "reduction": lambda value: 4 if value != 4 else 8,
    "attention_kernel": lambda value: value + 2,
    "attention_passes": lambda value: value + 1,
    "enhancement_passes": lambda value: value + 1,
    "context_groups": lambda value: value + 2,
    "context_paths": lambda value: value + 1,
    "dropblock": lambda _: 0.5,
    "dropblock_size": lambda _: 3,
    "leak": lambda _: 0.3,
    "norm_momentum": lambda _: 0.3,
    "prior_probability": lambda _: 0.2,
    "prior_sizes": lambda value: tuple(tuple(side + 1 for side in level) for level in value),
    "prior_ratios": lambda value: tuple(ratio + 0.2 for ratio in value),
    "variances": lambda _: (0.2, 0.3),
    "pixel_mean": lambda _: (1.0, 2.0, 3.0),
    "channel_order": lambda _: "rgb",
    "pixel_scale": lambda _: 1 / 128,
}
"""Key -> another legal value of it."""
FIXED = ("prior_steps",)
"""Keys with one legal value."""


def others(config, key):
    value = getattr(config, key)
    if key in CHOICES:
        return [choice for choice in CHOICES[key] if choice != value]
    return [not value if isinstance(value, bool) else OTHER[key](value)]


def signature(config):
    """Hash all that a configuration decides: weights, outputs, statistics, priors, and reading."""
    network = build(config, seed=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        outputs = network.train()(torch.randn(2, 3, 64, 64) * 50)
    tensors = [*outputs, *network.state_dict().values(), priors(config, 64, 64)]
    taken_in = config.pixel_mean, config.channel_order, config.pixel_scale
    digest = hashlib.sha256(repr((config.variances, *taken_in)).encode())
    digest.update(repr(list(network.state_dict())).encode())
    for tensor in tensors:
        digest.update(tensor.detach().numpy().tobytes())
    return digest.hexdigest()


def idle(name):
    """Return the keys of a variant whose change is taken and changes nothing."""
    config = VARIANTS[name].config
    before = signature(config)
    silent = []
    for key in (field.name for field in fields(config) if field.name not in FIXED):
        for value in others(config, key):
            try:
                changed = variant(name, **{key: value})
            except UsageError:
                continue
            if signature(changed) == before:
                silent.append(f"{key}={value}")
    return silent


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("eca-cbam", "v3-nano") else pytest.param(name, marks=pytest.mark.slow)
        for name in VARIANTS
    ],
)
def test_every_key_that_a_variant_takes_changes_it(name):
    assert idle(name) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_a_key_that_nothing_reads_is_refused_with_what_would_read_it(name):
    config = VARIANTS[name].config
    for key in READERS:
        (value,) = others(config, key)
        if any(getattr(config, reader.key) in (reader.values or (0.1,)) for reader in READERS[key]):
            continue
        with pytest.raises(UsageError) as caught:
            variant(name, **{key: value})
        told, hint = caught.value.message, caught.value.hint
        assert f"model.{key} is {value}, but model.{READERS[key][0].key} is" in told
        assert f"set model.{key}={getattr(config, key)}, or model." in hint


def test_the_kernel_of_eca_and_the_layers_of_another_neck_are_refused():
    with pytest.raises(UsageError, match=r"attention_kernel is 5, but model.attention is eca-cbam"):
        variant("eca-cbam", attention_kernel=5)
    with pytest.raises(UsageError, match=r"repeats is 2, but model.neck is pyramid-attention"):
        variant("v2-vit", repeats=2)
    assert variant("eca-cbam", attention_kernel=5, attention="cbam").attention_kernel == 5


def test_what_the_variant_itself_says_is_no_setting():
    for name, entry in VARIANTS.items():
        values = {field.name: getattr(entry.config, field.name) for field in fields(entry.config)}
        assert variant(name, **values) == entry.config
    assert variant("v1", neck="fpn").repeats == VARIANTS["v1"].config.repeats
    assert variant("v2-vit", context_attention="none").reduction == 1


def test_idle_keys_of_earlier_records_are_read_as_what_the_network_was():
    base = VARIANTS["eca-cbam"].config
    assert without_idle(base, {"attention_kernel": 5, "channels": 32}) == {
        "attention_kernel": 7,
        "channels": 32,
    }
    assert signature(replace(base, attention_kernel=5)) == signature(base)


def test_every_key_has_another_value_to_try():
    known = {field.name for field in fields(DetectorConfig) if field.type != "bool"}
    assert known - set(CHOICES) - set(FIXED) == set(OTHER)
