from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from stand_ins.networks import every_network

from featherface.geometry.priors import priors
from featherface.losses.assignment import Targets
from featherface.losses.multibox import multibox
from featherface.networks import detector
from featherface.networks.detector import build
from featherface.profiling.counting import macs
from featherface.validation.names import COUNTS
from featherface.variants.config import CHOICES
from featherface.variants.table import VARIANTS, variant
from featherface.weights.checkpoints import load_weights, save_weights

NETWORKS = Path(__file__).parents[3] / "docs" / "networks.md"
ROW = re.compile(r"^\| `([\w-]+)` \| ([\d,]+) \| ([\d.]+) \|", re.MULTILINE)
TOLD = {name: cells for name, *cells in ROW.findall(NETWORKS.read_text(encoding="utf-8"))}
"""Variant -> parameters and G MACs at 640², as the documentation tells them."""
BUDGETS = {
    "v2": {
        "backbone": 213_000,
        "attention": 1_200,
        "neck": 18_000,
        "context": 12_000,
        "heads": 12_000,
    },
    "v2-ultra": {
        "backbone": 213_000,
        "attention": 600,
        "neck": 14_000,
        "context": 8_000,
        "heads": 10_000,
    },
    "v2-vit": {
        "backbone": 45_000,
        "neck": 75_000,
        "context_attention": 25_000,
        "heads": 100_000,
    },
}
"""What the thesis's tables give each component."""
MEASURED = {
    "v1-official": (213_072, 11_528, 112_606, 2_040, 232_965, 0, 13_920, 6_240),
    "v1": (213_072, 680 + 2_284 + 8_564, 84_010, 3 * 467, 3 * 57_855, 0, 0, 5_088),
    "v1-489k": (213_072, 0, 77_916, 0, 3 * 64_185, 0, 0, 5_472),
    "eca-cbam": (213_072, 101 + 103 + 103, 84_010, 3 * 101, 3 * 57_855, 0, 0, 5_088),
    "eca-cbam-parallel": (213_072, 101 + 103 + 103, 84_010, 3 * 101, 3 * 57_855, 0, 0, 5_088),
    "v2-coordatt": (213_072, 0, 77_916, 0, 3 * 64_185, 3 * 1_360, 0, 5_472),
}
"""Components of the published programs and of V1, in the order of PARTS."""
PARTS = (
    *("backbone", "attention", "neck", "neck_attention"),
    *("context", "context_attention", "shuffle", "heads"),
)


@pytest.fixture(params=sorted(VARIANTS))
def name(request):
    return request.param


def parameters(model):
    return sum(one.numel() for one in model.parameters())


def test_counts_are_those_of_the_documentation(name):
    model = build(variant(name))
    counted = parameters(model)
    told = [f"{counted:,}", f"{macs(model, 640) / 1e9:.3f}"]
    assert TOLD.get(name) == told, f"docs/networks.md, the row `{name}`: {told}"
    assert COUNTS[name].least <= counted <= COUNTS[name].most


@pytest.mark.parametrize("name", BUDGETS)
def test_the_components_keep_their_budget(name):
    model = build(variant(name))
    counts = model.components()
    if "attention" in counts:
        counts["attention"] += counts.pop("neck_attention")
    assert parameters(model) == pytest.approx(sum(BUDGETS[name].values()), rel=0.01)
    assert counts == pytest.approx(BUDGETS[name], rel=0.1)


@pytest.mark.parametrize("name", MEASURED)
def test_the_components_of_known_networks_are_exact(name):
    counts = build(variant(name)).components()
    assert tuple(counts.get(part, 0) for part in PARTS) == MEASURED[name]


def test_components_add_up(name):
    model = build(variant(name))
    assert sum(model.components().values()) == parameters(model)


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (96, 64), (75, 101)])
def test_output_fits_the_priors(name, size):
    config = variant(name)
    model = build(config, 0).eval()
    count = len(priors(config, *size))
    with torch.no_grad():
        output = model(torch.randn(2, 3, *size))
    shapes = [tuple(one.shape) for one in output]
    assert shapes == [(2, count, 4), (2, count, 2), (2, count, 10)]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "batch"), [((480, 640), 2), ((1024, 1024), 1)])
def test_the_answers_are_finite_at_every_size(name, size, batch):
    model = build(variant(name), 0).eval()
    with torch.no_grad():
        output = model(torch.randn(batch, 3, *size) * 60)
    assert all(bool(one.isfinite().all()) for one in output)
    assert output.boxes.shape == (batch, len(priors(variant(name), *size)), 4)


@pytest.mark.parametrize("size", [64, 96])
def test_pictures_of_a_batch_do_not_meet(name, size):
    model = build(variant(name), 0).eval()
    images = torch.randn(3, 3, size, size) * 60
    with torch.no_grad():
        together, alone = model(images), model(images[1:2])
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one[1:2], other, atol=1e-4, rtol=1e-4)


def test_weights_survive_the_trip_through_a_file(name, tmp_path):
    model = build(variant(name), 0)
    save_weights(tmp_path / "weights.safetensors", model)
    other = build(variant(name), 1)
    load_weights(other, tmp_path / "weights.safetensors", name)
    mine, theirs = model.state_dict(), other.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


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


def faces(pictures):
    """A small, a large and a picture-filling face in each picture."""
    boxes = torch.tensor([[0.1, 0.1, 0.22, 0.22], [0.3, 0.3, 0.75, 0.8], [0.0, 0.0, 1.0, 1.0]])
    every = torch.ones(pictures, 3, dtype=torch.bool)
    points = torch.rand(pictures, 3, 10, generator=torch.Generator().manual_seed(0))
    return Targets(boxes.expand(pictures, 3, 4), points, every, every)


def test_the_gradient_of_the_loss_reaches_every_parameter(name):
    torch.manual_seed(0)
    config = variant(name)
    model = build(config, 0).train()
    output = model(torch.randn(2, 3, 160, 160) * 60)
    sum(multibox(output, priors(config, 160, 160), faces(2))).backward()
    idle = {key for key, one in model.named_parameters() if one.grad is None or not one.grad.any()}
    assert idle == set()


@pytest.mark.parametrize("name", every_network())
def test_a_fixed_batch_is_learnt_within_30_steps(name):
    torch.manual_seed(0)
    config = variant(name)
    model = build(config, 0).train()
    images, given = torch.randn(2, 3, 64, 64) * 50, priors(config, 64, 64)
    # With this step size the slowest networks are there after 15 steps, whatever the seed.
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = sum(multibox(model(images), given, faces(2)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if losses[-1] < 0.6 * losses[0]:
            break
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
        assert set(table) == set(CHOICES[key]), f"{key}: CHOICES of featherface/variants/config.py"
