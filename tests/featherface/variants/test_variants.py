from __future__ import annotations

import subprocess
import sys

import pytest

from featherface.errors import UsageError
from featherface.variants.config import CHOICES, DetectorConfig, grouped_quarter
from featherface.variants.table import VARIANTS, variant


def test_every_variant_is_legal_and_described():
    for name, entry in VARIANTS.items():
        assert variant(name) == entry.config
        assert entry.summary
        assert entry.source


def test_an_override_replaces_one_field():
    config = variant("v2", channels=48)
    assert config.channels == 48
    assert config.neck == variant("v2").neck


def test_an_unknown_variant_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'v1-official'"):
        variant("v1-oficial")


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'channels'"):
        variant("v2", chanels=32)


@pytest.mark.parametrize("key", sorted(CHOICES))
def test_an_unknown_block_names_the_key(key):
    with pytest.raises(UsageError, match=f"model.{key}"):
        variant("v1", **{key: "none-such"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channels", 51),
        ("channels", True),
        ("repeats", 0),
        ("reduction", -1),
        ("norm_momentum", 2),
        ("prior_probability", 0.0),
        ("prior_sizes", ((16,), (32,))),
        ("prior_sizes", "16"),
        ("prior_ratios", ()),
        ("prior_ratios", (1.0, 0.0)),
        ("prior_steps", (4, 8, 16)),
        ("attention_kernel", 4),
        ("attention_passes", 0),
        ("enhancement_passes", -1),
        ("enhancement_passes", False),
        ("context_groups", 3),
        ("scale_fusion", 1),
        ("variances", (0.1,)),
        ("pixel_mean", (1.0, 2.0)),
    ],
)
def test_an_illegal_value_names_the_key(key, value):
    with pytest.raises(UsageError, match=f"model.{key}"):
        DetectorConfig(**{key: value})


@pytest.mark.parametrize(
    ("channels", "groups", "quarter"), [(32, 4, 8), (28, 8, 8), (20, 4, 8), (48, 4, 12)]
)
def test_grouped_context_splits_the_channels_in_legal_groups(channels, groups, quarter):
    config = DetectorConfig(channels=channels, context="ssh-grouped", context_groups=groups)
    assert grouped_quarter(config.channels, groups) == quarter


def test_too_few_channels_for_the_groups_are_refused():
    with pytest.raises(UsageError, match=r"model.channels: 8") as caught:
        DetectorConfig(channels=8, context="ssh-grouped")
    assert "12 or more with ssh-grouped in 4 groups" in caught.value.hint


def test_lists_from_yaml_become_tuples():
    config = DetectorConfig(prior_sizes=[[16], [64], [256]], pixel_mean=[1, 2, 3])
    assert config.prior_sizes == ((16,), (64,), (256,))
    assert hash(config)


def test_the_table_imports_nothing_heavy():
    code = (
        "import featherface.variants.table, sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
