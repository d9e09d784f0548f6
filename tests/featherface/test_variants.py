from __future__ import annotations

import subprocess
import sys

import pytest

from featherface.errors import UsageError
from featherface.variants import CHOICES, VARIANTS, DetectorConfig, variant


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
        ("prior_steps", (4, 8, 16)),
        ("variances", (0.1,)),
        ("pixel_mean", (1.0, 2.0)),
    ],
)
def test_an_illegal_value_names_the_key(key, value):
    with pytest.raises(UsageError, match=f"model.{key}"):
        DetectorConfig(**{key: value})


def test_lists_from_yaml_become_tuples():
    config = DetectorConfig(prior_sizes=[[16], [64], [256]], pixel_mean=[1, 2, 3])
    assert config.prior_sizes == ((16,), (64,), (256,))
    assert hash(config)


def test_the_table_imports_nothing_heavy():
    code = "import featherface.variants, sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
