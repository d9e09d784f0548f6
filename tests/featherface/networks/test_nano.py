"""What V3 Nano is made of."""

from __future__ import annotations

import torch

from featherface.networks.backbones import nano
from featherface.networks.detector import build
from featherface.profiling.counting import macs
from featherface.training.distillation.terms import start_from
from featherface.variants.table import variant


def test_a_unit_mixes_channels_first_then_looks_around():
    first, second, norm, _ = nano.unit(8, 16, 0.1)
    assert (first.kernel_size, first.groups, first.bias) == ((1, 1), 1, None)
    assert (second.kernel_size, second.groups, second.bias) == ((3, 3), 16, None)
    assert norm.num_features == 16


def test_laterals_stand_only_where_widths_differ():
    same, other = nano.TopDown((64, 64, 64), 64, 0.1), nano.TopDown((64, 64, 32), 64, 0.1)
    assert not list(same.laterals.parameters())
    assert {name.split(".")[0] for name, _ in other.laterals.named_parameters()} == {"2"}


def test_each_field_of_view_continues_the_one_before():
    context = nano.CascadeContext(8, 0.1).eval()
    with torch.no_grad():
        for value in context.parameters():
            value.abs_()
    features = torch.rand(1, 8, 33, 33, requires_grad=True)
    fields = context(features)[0, :, 16, 16].split((4, 2, 2))
    for field, reach in zip(fields, (1, 3, 5), strict=True):
        (gradient,) = torch.autograd.grad(field.sum(), features, retain_graph=True)
        seen = gradient.sum((0, 1)).nonzero()
        assert (seen.min().item(), seen.max().item()) == (16 - reach, 16 + reach)


def test_it_costs_what_yunet_costs():
    assert macs(build(variant("v3-nano")), 320) < 0.15e9


def test_it_takes_nothing_from_a_teachers_other_backbone():
    student, teacher = (build(variant(name), seed) for seed, name in enumerate(("v3-nano", "v1")))
    assert start_from(student, teacher) == []


def test_it_learns_from_v1_prior_by_prior():
    assert variant("v3-nano").prior_sizes == variant("v1").prior_sizes
    assert variant("v3-nano").anchors == variant("v1").anchors
