from __future__ import annotations

import pytest
import torch

from featherface.networks import build, detector
from featherface.priors import priors
from featherface.variants import CHOICES, VARIANTS, variant

PARAMETERS = {
    "v1-official": 592_371,
    "v1": 488_664,
    "v1-489k": 489_015,
    "eca-cbam": 476_345,
    "eca-cbam-parallel": 476_345,
    "v2-coordatt": 493_095,
    "retinaface-mnet025": 426_608,
}
V2_BUDGET = {
    "backbone": 213_000,
    "attention": 1_200,
    "neck": 18_000,
    "context": 12_000,
    "heads": 12_000,
}


@pytest.fixture(params=sorted(VARIANTS))
def name(request):
    return request.param


def parameters(model):
    return sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_parameter_counts_are_exact(name, count):
    assert parameters(build(variant(name))) == count


def test_v2_keeps_its_budget():
    model = build(variant("v2"))
    counts = model.components()
    counts["attention"] += counts.pop("neck_attention")
    assert parameters(model) == pytest.approx(256_000, rel=0.01)
    assert counts == pytest.approx(V2_BUDGET, rel=0.1)


def test_components_add_up(name):
    model = build(variant(name))
    assert sum(model.components().values()) == parameters(model)


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (75, 101)])
def test_output_fits_the_priors(name, size):
    config = variant(name)
    model = build(config, 0).eval()
    count = len(priors(config, *size))
    with torch.no_grad():
        output = model(torch.randn(2, 3, *size))
    shapes = [tuple(one.shape) for one in output]
    assert shapes == [(2, count, 4), (2, count, 2), (2, count, 10)]


def test_the_same_seed_gives_the_same_network(name):
    first, second, third = (build(variant(name), seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], third[key]) for key in first)


def test_building_with_a_seed_leaves_the_random_numbers_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    build(variant("v2"), 0)
    assert torch.equal(torch.rand(3), wanted)


def test_an_untrained_network_expects_background(name):
    model = build(variant(name), 0).eval()
    with torch.no_grad():
        scores = model(torch.randn(1, 3, 64, 64)).logits.softmax(-1)[..., 1]
    assert scores.mean() == pytest.approx(0.01, abs=0.005)


def test_the_gradient_reaches_every_parameter(name):
    model = build(variant(name), 0).train()
    output = model(torch.randn(2, 3, 96, 96))
    sum(one.square().sum() for one in output).backward()
    idle = {key for key, one in model.named_parameters() if one.grad is None or not one.grad.any()}
    assert idle == set()


def test_a_fixed_batch_is_learnt_within_30_steps(name):
    torch.manual_seed(0)
    model = build(variant(name), 0).train()
    images, target = torch.randn(2, 3, 64, 64) * 50, torch.rand(2, 168, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = (model(images).boxes - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def test_every_choice_has_its_block():
    tables = {
        "backbone": detector.BACKBONES,
        "neck": detector.NECKS,
        "attention": detector.ATTENTIONS,
        "context": detector.CONTEXTS,
        "context_attention": detector.CONTEXT_ATTENTIONS,
        "shuffle": detector.SHUFFLES,
        "head": detector.HEADS,
    }
    for key, table in tables.items():
        assert set(table) == set(CHOICES[key])
