"""Which parameters decay, and that the recipe's numbers reach PyTorch."""

from dataclasses import replace

import pytest
import torch
from stand_ins.tiny_detector import TinyDetector
from torch import nn

from featherface.networks.detector import build
from featherface.training.config.train import OPTIMIZERS, TrainConfig
from featherface.training.optimization.optimizers import make_optimizer
from featherface.variants.table import VARIANTS, variant

CONFIG = TrainConfig(lr=0.01, weight_decay=0.3, momentum=0.7)


def decays(optimizer):
    """Return the weight decay of each parameter by its id."""
    return {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}


@pytest.mark.parametrize("name", VARIANTS)
def test_kernels_decay_and_biases_and_norms_do_not(name):
    model = build(variant(name))
    decay = decays(make_optimizer(model, CONFIG))
    assert len(decay) == len(list(model.parameters()))
    for part in model.modules():
        for kind, value in part.named_parameters(recurse=False):
            if isinstance(part, nn.Conv2d | nn.Linear) and kind == "weight":
                assert decay[id(value)] == 0.3
            if kind == "bias" or isinstance(part, nn.BatchNorm2d):
                assert decay[id(value)] == 0.0


def test_what_is_trained_beside_the_network_does_not_decay_and_what_is_frozen_is_left_out():
    model, beside = TinyDetector(1), nn.Conv2d(3, 3, 1)
    model.backbone.requires_grad_(False)
    decay = decays(make_optimizer(model, CONFIG, beside.parameters()))
    heads = model.heads.predict
    assert decay == {
        id(heads.weight): 0.3,
        id(heads.bias): 0.0,
        id(beside.weight): 0.0,
        id(beside.bias): 0.0,
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_recipes_numbers_reach_the_optimizer(name):
    optimizer = make_optimizer(TinyDetector(1), replace(CONFIG, optimizer=name))
    for group in optimizer.param_groups:
        assert group["lr"] == 0.01
        if name == "sgd":
            assert (group["momentum"], group["nesterov"], group["dampening"]) == (0.7, True, 0)
        else:
            assert (group["betas"], group["eps"]) == ((0.9, 0.999), 1e-8)


def test_sgd_without_momentum_is_plain():
    optimizer = make_optimizer(TinyDetector(1), replace(CONFIG, optimizer="sgd", momentum=0.0))
    assert not any(group["nesterov"] for group in optimizer.param_groups)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_without_a_gradient_shrinks_kernels_alone(name):
    """By 1 - rate * decay, the first step of either optimizer."""
    model = TinyDetector(2).double()
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    optimizer = make_optimizer(model, replace(CONFIG, optimizer=name, momentum=0.0))
    for value in model.parameters():
        value.grad = torch.zeros_like(value)
    optimizer.step()
    for key, value in model.named_parameters():
        factor = 1 - 0.01 * 0.3 if value.ndim > 1 else 1.0
        torch.testing.assert_close(value.detach(), factor * before[key], rtol=1e-14, atol=0)
