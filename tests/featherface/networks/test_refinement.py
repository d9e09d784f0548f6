"""Learnt priors and second stages say what they mean against the variant's own priors."""

from __future__ import annotations

import torch

from featherface.geometry.boxes import corners_of, decode, decode_all
from featherface.geometry.priors import priors
from featherface.networks.heads import refinement
from featherface.variants.table import variant

VARIANCES = (0.1, 0.2)


def centre_form(corners):
    return torch.cat(((corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]), 1)


def test_two_stages_compose_to_one_set_of_deltas():
    torch.manual_seed(0)
    given = torch.rand(50, 4) + 0.1
    first, second = torch.randn(50, 4) * 2, torch.randn(50, 4)
    stage = refinement.BoxRefinement(8, 2, 0.1, VARIANCES)
    proposals = centre_form(decode(first, given, VARIANCES))
    wanted = decode(second, proposals, VARIANCES)
    found = decode(stage.compose(first[None], second[None])[0], given, VARIANCES)
    torch.testing.assert_close(found, wanted)


def test_a_second_stage_takes_the_first_ones_boxes_as_given():
    stage = refinement.BoxRefinement(8, 2, 0.1, VARIANCES)
    first, second = (torch.randn(1, 5, 4, requires_grad=True) for _ in range(2))
    stage.compose(first, second)[..., :2].sum().backward()
    assert torch.equal(first.grad[..., 2:], torch.zeros(1, 5, 2))
    assert torch.equal(first.grad[..., :2], torch.ones(1, 5, 2))
    boxes = [torch.randn(1, 8, 4, 4, requires_grad=True) for _ in range(3)]
    features = [torch.randn(1, 8, 4, 4, requires_grad=True) for _ in range(3)]
    sum(one.sum() for one in stage(features, boxes)).backward()
    assert all(one.grad is None for one in boxes)
    assert all(one.grad is not None for one in features)


def test_deltas_of_learnt_priors_decode_as_from_those_priors():
    torch.manual_seed(0)
    config = variant("v2-plus")
    shapes = refinement.AdaptivePriors(2, config.variances)
    torch.nn.init.normal_(shapes.logs, std=0.3)
    own = priors(config, 64, 64)
    start = 2 * 8 * 8  # of the second level, 4 x 4 cells of two priors
    own = own[start : start + 32]
    boxes, points = torch.randn(1, 8, 4, 4), torch.randn(1, 20, 4, 4)
    growth = shapes.logs[1].exp().repeat(16, 1)
    learnt = torch.cat((own[:, :2], own[:, 2:] * growth), 1)

    def rows(one, numbers):
        return one.permute(0, 2, 3, 1).reshape(-1, numbers)

    wanted = decode_all(config, rows(boxes, 4), rows(points, 10), learnt)
    moved = shapes(boxes, points, 1)
    found = decode_all(config, rows(moved[0], 4), rows(moved[1], 10), own)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_untrained_priors_are_the_given_ones():
    shapes = refinement.AdaptivePriors(2, VARIANCES)
    boxes, points = torch.randn(2, 8, 3, 3), torch.randn(2, 20, 3, 3)
    found = shapes(boxes, points, 0)
    assert torch.equal(found[0], boxes)
    assert torch.equal(found[1], points)
    assert torch.equal(
        decode(torch.zeros(3, 4), torch.ones(3, 4), VARIANCES), corners_of(torch.ones(3, 4))
    )
