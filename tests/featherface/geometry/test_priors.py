from __future__ import annotations

import numpy as np
import pytest
import torch

from featherface.geometry.priors import priors
from featherface.variants.config import DetectorConfig
from featherface.variants.table import VARIANTS, variant


@pytest.mark.parametrize(("size", "count"), [(640, 16_800), (320, 4_200)])
@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_counts_are_the_published_ones(name, size, count):
    assert len(priors(variant(name), size, size)) == count * variant(name).anchors // 2


def test_order_is_level_row_column_size():
    found = priors(variant("v1"), 64, 96) * torch.tensor([96, 64, 96, 64])
    wanted = [[4, 4, 16, 16], [4, 4, 32, 32], [12, 4, 16, 16]]
    torch.testing.assert_close(found[:3], torch.tensor(wanted, dtype=torch.float32))
    second_row, second_level = found[2 * 12], found[2 * 12 * 8]
    torch.testing.assert_close(second_row, torch.tensor([4.0, 12.0, 16.0, 16.0]))
    torch.testing.assert_close(second_level, torch.tensor([8.0, 8.0, 64.0, 64.0]))


def test_ratios_follow_sizes_and_keep_areas():
    config = DetectorConfig(prior_sizes=((10, 20), (40, 80), (160, 320)), prior_ratios=(1.0, 4.0))
    found = priors(config, 64, 96) * torch.tensor([96, 64, 96, 64])
    wanted = [[4, 4, 10, 10], [4, 4, 5, 20], [4, 4, 20, 20], [4, 4, 10, 40], [12, 4, 10, 10]]
    torch.testing.assert_close(found[:5], torch.tensor(wanted, dtype=torch.float32))
    assert config.anchors == 4
    assert len(found) == 4 * (8 * 12 + 4 * 6 + 2 * 3)


def test_a_side_that_is_no_multiple_of_the_stride_is_rounded_up():
    found = priors(variant("v1"), 33, 40)
    assert len(found) == 2 * (5 * 5 + 3 * 3 + 2 * 2)


def test_the_result_is_remembered():
    assert priors(variant("v1"), 96, 64) is priors(variant("v2"), 96, 64)


@pytest.mark.data
def test_priors_of_the_reference(reference_data):
    with np.load(reference_data / "reference" / "multibox_loss.npz") as file:
        wanted = file["priors"]
    side = {4_200: 320, 16_800: 640, 1_050: 160, 672: 128}[len(wanted)]
    # One rounding of single precision.
    np.testing.assert_allclose(priors(variant("v1-official"), side, side), wanted, atol=1e-7)
