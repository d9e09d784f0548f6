"""The parts of V2 Plus."""

from __future__ import annotations

import pytest
import torch

from featherface.networks import allocation
from featherface.networks.heads import cascade, smart_head, ssh
from featherface.networks.heads.linear import TASKS
from featherface.networks.necks import bifpn_ultra, multipath

LEVELS = range(3)


def maps(channels=8, side=16):
    torch.manual_seed(0)
    return [torch.randn(2, channels, side // 2**level, side // 2**level) for level in LEVELS]


def test_adaptive_fusion_is_a_mean_whose_weights_differ_between_positions():
    fuse = bifpn_ultra.AdaptiveFusion(3, 4)
    same = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(fuse(same, same, same), torch.nn.functional.silu(same))
    one = torch.zeros(1, 4, 1, 2)
    one[..., 1] = 5.0
    for score, weight in zip(fuse.scores, (1.0, 0.0, 0.0), strict=True):
        torch.nn.init.constant_(score.weight, weight)
        torch.nn.init.zeros_(score.bias)
    mixed = fuse(one, torch.ones_like(one), torch.ones_like(one))[0, 0, 0].detach()
    assert mixed[0] == pytest.approx(torch.nn.functional.silu(torch.tensor(2 / 3)).item(), abs=1e-6)
    assert mixed[1] == pytest.approx(5.0, abs=0.05)


def test_the_context_gate_sees_the_other_levels():
    gate = cascade.ContextCBAM((8, 8, 8), 2, 0.1).eval()
    given = maps()
    other = [*given[:2], given[2] + 3]
    assert not torch.equal(gate(given)[0], gate(other)[0])


def test_each_task_has_a_gate_of_its_own():
    found = cascade.TaskCBAM((8, 8, 8), 2, 0.1).eval()(maps())
    assert list(found) == list(TASKS)
    assert not torch.equal(found["boxes"][0], found["classes"][0])


def test_the_budget_of_a_channel_is_shared_out_and_spent():
    allocate = allocation.ChannelAllocation(8, 3, 4)
    given = maps()
    factors = [(new / one).mean((2, 3)) for new, one in zip(allocate(given), given, strict=True)]
    torch.testing.assert_close(sum(factors), torch.full((2, 8), 3.0))
    assert factors[0].std() > 0


def test_one_path_is_plain_ssh():
    plain, paths = ssh.plain(8, 0.1).eval(), multipath.MultiPathSSH(8, 0.1, 1).eval()
    for name in ("branch3", "branch5_first", "branch5_last", "branch7_middle", "branch7_last"):
        paths.get_submodule(name).kernel.weight = plain.get_submodule(name)[0].weight
    features = maps()[0]
    torch.testing.assert_close(paths(features), plain(features))


def test_a_path_more_costs_normalisations_only_and_looks_farther():
    def kernels(model):
        return sum(value.numel() for key, value in model.named_parameters() if "kernel" in key)

    one, two = multipath.MultiPathSSH(8, 0.1, 1).eval(), multipath.MultiPathSSH(8, 0.1, 2).eval()
    assert kernels(one) == kernels(two)
    for model, reach in ((one, 3), (two, 6)):
        with torch.no_grad():  # nothing negative: no activation hides a position
            for value in model.parameters():
                value.abs_()
        features = torch.rand(1, 8, 33, 33, requires_grad=True)
        model(features)[0, :, 16, 16].sum().backward()
        seen = features.grad.abs().sum((0, 1)).nonzero()
        assert seen.max() - 16 == reach


def test_tasks_help_in_a_circle():
    fusion = smart_head.TaskFusion(8, 0.1)
    features = {task: [one.requires_grad_() for one in maps()] for task in TASKS}
    for task, helper in (("boxes", "classes"), ("landmarks", "boxes"), ("classes", "landmarks")):
        found = fusion(features)[task][0].sum()
        gradients = {
            other: torch.autograd.grad(found, given[0], retain_graph=True, allow_unused=True)[0]
            for other, given in features.items()
        }
        assert {other for other, one in gradients.items() if one is not None} == {task, helper}
