"""Linear attention gives what the quadratic formula gives, and V2 ViT what it promises."""

from __future__ import annotations

import torch
from stand_ins.plain_losses import overlap_table

from featherface.geometry.boxes import corners_of
from featherface.geometry.priors import priors
from featherface.networks.attention.channel_attention import DynamicChannelAttention
from featherface.networks.attention.linear_attention import (
    CrossAttention,
    LinearAttention,
    LinearAttentionRead,
    positive,
    remember,
)
from featherface.networks.detector import build
from featherface.profiling.counting import macs
from featherface.variants.table import variant


def tokens(one):
    """(B,d,H,W) to (B,HW,d)."""
    return one.flatten(2).transpose(1, 2)


def quadratic(given, heads):
    """The definition: each query weighs every token, head by head."""
    parts = []
    for q, k, v in zip(*(tokens(one).chunk(heads, 2) for one in given), strict=True):
        weights = positive(q) @ positive(k).transpose(1, 2)  # (B,N,N)
        parts.append(weights / weights.sum(2, keepdim=True) @ v)
    return torch.cat(parts, 2)


def test_it_is_attention_with_a_positive_kernel():
    torch.manual_seed(0)
    queries, keys, values = torch.randn(3, 2, 12, 5, 7)
    found = LinearAttentionRead(12, 3)(queries, remember(keys, values))
    torch.testing.assert_close(tokens(found), quadratic((queries, keys, values), 3))


def test_values_keep_their_size_whatever_the_number_of_tokens():
    torch.manual_seed(0)
    for side in (4, 64):
        queries, keys = torch.randn(2, 1, 8, side, side)
        found = LinearAttentionRead(8, 2)(queries, remember(keys, torch.full_like(keys, 3.0)))
        torch.testing.assert_close(found, torch.full_like(found, 3.0))


def test_across_scales_every_level_sees_all_tokens():
    torch.manual_seed(0)
    cross = CrossAttention(2, 6, 4, 2).eval()
    maps = [torch.randn(1, 6, 4, 4), torch.randn(1, 6, 2, 2)]
    asked = [level.project(one).chunk(3, 1) for level, one in zip(cross.levels, maps, strict=True)]
    keys, values = (torch.cat([one[part].flatten(2) for one in asked], 2) for part in (1, 2))
    for level, (queries, _, _), found in zip(cross.levels, asked, cross(maps), strict=True):
        seen = quadratic((queries, keys[..., None], values[..., None]), 2)
        seen = seen.transpose(1, 2).reshape(queries.shape)
        torch.testing.assert_close(found, level.merge(seen))


def test_operations_grow_with_the_tokens():
    layer = LinearAttention(32, 16, 4)

    def count(side):
        picture = torch.nn.Sequential(torch.nn.Conv2d(3, 32, 1), layer)
        return macs(picture, (side, 32)) / side

    assert count(32) == count(512) == 32 * (3 * 32 + 32 * 48 + 3 * 16 * 16 + 16 * 32)


def test_the_backbone_takes_any_size_and_has_no_table_of_positions():
    model = build(variant("v2-vit"), 0).eval()
    names = dict(model.named_parameters()) | dict(model.named_buffers())
    assert not any("position" in name for name in names)
    with torch.no_grad():
        for height, width in ((32, 32), (64, 416), (480, 640)):
            maps = model.backbone(torch.randn(1, 3, height, width))
            shapes = [tuple(one.shape[1:]) for one in maps]
            strides = zip((32, 64, 128), (8, 16, 32), strict=True)
            assert shapes == [(wide, height // step, width // step) for wide, step in strides]


def test_nine_anchors_leave_no_face_between_two_sizes():
    config = variant("v2-vit")
    assert config.anchors == 9
    given = priors(config, 640, 640) * 640
    for side in (8, 13, 21, 33, 53, 86, 137, 219, 351, 500):
        for ratio in (0.9, 1.1, 1.35, 1.7):
            shape = torch.tensor([[side / ratio**0.5, side * ratio**0.5]])
            centred = torch.cat((torch.zeros(len(given), 2), given[:, 2:]), 1)
            face = torch.cat((torch.zeros(1, 2), shape), 1)
            assert overlap_table(corners_of(face), corners_of(centred)).max() > 0.5


def test_the_channel_gate_can_strengthen_and_depends_on_the_picture():
    torch.manual_seed(0)
    gate = DynamicChannelAttention(8, 1)
    features = torch.rand(2, 8, 4, 4) + 0.5
    factors = gate(features) / features
    assert factors.min() > 0
    assert 1 < factors.max() < 2
    torch.testing.assert_close(factors, factors[:, :, :1, :1].expand_as(factors))
    assert not torch.equal(factors[0], factors[1])
