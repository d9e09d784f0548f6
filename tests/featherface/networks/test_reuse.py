"""What V2 Ultra does with features that it has already."""

from __future__ import annotations

import pytest
import torch

from featherface.networks.attention import cbam
from featherface.networks.detector import build
from featherface.networks.necks import reuse
from featherface.variants.table import variant


def maps(channels=6, side=16):
    torch.manual_seed(0)
    return [torch.randn(2, channels, side // 2**level, side // 2**level) for level in range(3)]


def test_recycling_adds_what_entered_the_neck_to_p3_alone():
    mixed, entering = maps(), maps()
    third, fourth, fifth = reuse.FeatureRecycling()(mixed, entering)
    doubled = mixed[1].repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(third, mixed[0] + entering[0] + doubled)
    assert fourth is mixed[1]
    assert fifth is mixed[2]


def test_scale_fusion_of_even_maps_adds_fixed_shares():
    third, fourth, fifth = reuse.ScaleFusion()([torch.ones_like(one) for one in maps()])
    for one, value in ((third, 1.3), (fourth, 1.4), (fifth, 1.3)):
        torch.testing.assert_close(one, torch.full_like(one, value))


@pytest.mark.parametrize("channels", [28, 32, 13])
def test_enhancement_is_the_sketched_sequence_of_steps_and_shuffles(channels):
    features = torch.randn(2, channels, 3, 5)
    groups = max(one for one in range(1, 9) if channels % one == 0)
    wanted = features
    for _ in range(3):
        wanted = wanted + 0.1 * torch.tanh(wanted)
        wanted = torch.cat([wanted[:, start::groups] for start in range(groups)], 1)
    found = reuse.ProgressiveEnhancement(channels, 3)(features)
    torch.testing.assert_close(found, wanted)
    assert groups == 1 or not torch.equal(
        found.argsort(1), reuse.ProgressiveEnhancement(channels, 0)(features).argsort(1)
    )


def test_the_gate_blends_context_and_input_smoothly():
    entering = maps()
    shared = reuse.ContextualSharing(torch.nn.ReLU(), [6, 6, 6])
    shared.base.forward = lambda given: [one.relu() for one in given]
    found = shared(entering)
    for one, gate, new in zip(entering, shared.gates, found, strict=True):
        share = gate(one)
        assert share.shape == (2, 1, 1, 1)
        torch.testing.assert_close(new, one + share * (one.relu() - one))


def test_the_gates_are_registered_and_small():
    model = build(variant("v2-ultra"), 0)
    gates = [value for name, value in model.named_parameters() if ".gates." in name]
    assert 0 < sum(one.numel() for one in gates) < 1000
    assert all(one.requires_grad for one in gates)


def test_attention_multiplication_reuses_one_set_of_weights():
    once = cbam.SharedCBAM([8, 8, 8], 4, 0.1, 5)
    thrice = cbam.SharedCBAM([8, 8, 8], 4, 0.1, 5, passes=3)
    count = [sum(value.numel() for value in one.parameters()) for one in (once, thrice)]
    assert count[0] == count[1]
    thrice.load_state_dict(once.state_dict(), strict=False)
    features = maps(8)
    for one in (once, thrice):
        one.eval()
    first = once(features)[0] - features[0]
    second = once([features[0] + first, *features[1:]])[0] - features[0] - first
    last = once([features[0] + first + second, *features[1:]])[0] - features[0] - first - second
    torch.testing.assert_close(thrice(features)[0], features[0] + last)
