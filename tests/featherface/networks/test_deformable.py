from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from featherface.networks.layers.deformable import DeformableConv, deform_conv
from featherface.networks.layers.row_sums import sum_gradients, sum_rows


def by_loop(features, offset, mask, weight):
    """The definition, one multiplication at a time."""
    batch, channels, height, width = features.shape
    result = torch.zeros(batch, weight.shape[0], height, width, dtype=features.dtype)
    for b in range(batch):
        for row in range(height):
            for column in range(width):
                for tap in range(9):
                    y = row + tap // 3 - 1 + offset[b, 2 * tap, row, column].item()
                    x = column + tap % 3 - 1 + offset[b, 2 * tap + 1, row, column].item()
                    sample = torch.zeros(channels, dtype=features.dtype)
                    for i in (math.floor(y), math.floor(y) + 1):
                        for j in (math.floor(x), math.floor(x) + 1):
                            if 0 <= i < height and 0 <= j < width:
                                share = (1 - abs(y - i)) * (1 - abs(x - j))
                                sample += share * features[b, :, i, j]
                    kernel = weight[:, :, tap // 3, tap % 3]
                    result[b, :, row, column] += mask[b, tap, row, column] * (kernel @ sample)
    return result


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(0)
    double = {"generator": generator, "dtype": torch.float64}
    features = torch.randn(2, 3, 5, 4, **double)
    # Fractions stay off the whole numbers, where bilinear sampling has a kink.
    shift = torch.randint(-3, 3, (2, 18, 5, 4), generator=generator)
    offset = shift + 0.1 + 0.8 * torch.rand(2, 18, 5, 4, **double)
    mask = 2 * torch.rand(2, 9, 5, 4, **double)
    return features, offset, mask, torch.randn(4, 3, 3, 3, **double)


def test_forward_equals_the_loop(inputs):
    torch.testing.assert_close(deform_conv(*inputs), by_loop(*inputs))


def test_far_outside_is_zero(inputs):
    features, offset, mask, weight = inputs
    far = offset * 1000
    torch.testing.assert_close(
        deform_conv(features, far, mask, weight), by_loop(features, far, mask, weight)
    )


def test_gradient_equals_finite_differences(inputs):
    asked = [one.requires_grad_() for one in inputs]
    assert torch.autograd.gradcheck(deform_conv, asked)


def test_sums_and_their_gradients_equal_the_definition():
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(40, 6, generator=generator, requires_grad=True)
    shares = torch.rand(17, 8, generator=generator, requires_grad=True)
    rows = torch.randint(0, 40, (17, 8), generator=generator)
    plain = (table[rows] * shares[..., None]).sum(1)
    torch.testing.assert_close(sum_rows(table, rows, shares), plain)
    seed = torch.randn(17, 6, generator=generator)
    wanted = torch.autograd.grad(plain, (table, shares), seed)
    torch.testing.assert_close(sum_gradients(seed, table, rows, shares), wanted)


def test_gradient_without_gradient_mode_is_the_same_forward(inputs):
    with torch.no_grad():
        quiet = deform_conv(*inputs)
    asked = [one.requires_grad_() for one in inputs]
    assert torch.equal(deform_conv(*asked), quiet)


def test_gradient_far_outside_is_zero(inputs):
    features, offset, mask, weight = inputs
    far = (offset * 1000).requires_grad_()
    deform_conv(features, far, mask, weight).sum().backward()
    y, x = (offset[:, start::2] * 1000 for start in (0, 1))
    outside = (y.abs() > 10) | (x.abs() > 10)
    assert outside.any()
    assert not far.grad[:, 0::2][outside].any()
    assert not far.grad[:, 1::2][outside].any()


def test_frozen_parts_get_no_gradient():
    layer = DeformableConv(8, 6)
    torch.nn.init.normal_(layer.offset.weight, std=0.3)
    layer.kernel.requires_grad_(requires_grad=False)
    layer(torch.randn(1, 8, 7, 9)).square().sum().backward()
    assert layer.kernel.weight.grad is None
    assert layer.offset.weight.grad.abs().sum() > 0


def test_an_untrained_layer_is_an_ordinary_convolution():
    layer = DeformableConv(8, 6)
    features = torch.randn(2, 8, 7, 9)
    wanted = functional.conv2d(features, layer.kernel.weight, padding=1)
    torch.testing.assert_close(layer(features), wanted, atol=1e-5, rtol=1e-4)


def test_the_result_does_not_depend_on_the_memory_layout():
    layer = DeformableConv(8, 6)
    torch.nn.init.normal_(layer.offset.weight, std=0.3)
    features = torch.randn(2, 8, 7, 9)
    strided = features.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(layer(features), layer(strided), atol=1e-5, rtol=1e-4)


def test_training_is_deterministic():
    layer = DeformableConv(8, 6)
    torch.nn.init.normal_(layer.offset.weight, std=0.3)
    features = torch.randn(2, 8, 12, 12)
    runs = []
    for _ in range(2):
        layer.zero_grad()
        layer(features).square().sum().backward()
        runs.append([one.grad.clone() for one in layer.parameters()])
    assert all(torch.equal(first, second) for first, second in zip(*runs, strict=True))


def test_half_precision_keeps_the_positions():
    layer = DeformableConv(8, 6)
    torch.nn.init.normal_(layer.offset.bias, std=2.0)
    features = torch.randn(1, 8, 40, 40)
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(features)
    torch.testing.assert_close(half.float(), layer(features), atol=0.1, rtol=0.1)


@pytest.mark.gpu
def test_gpu_equals_cpu(inputs):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_gpu = [one.cuda() for one in inputs]
    torch.testing.assert_close(deform_conv(*on_gpu).cpu(), deform_conv(*inputs))
