import pytest
import torch

from featherface import errors
from featherface.networks.detector import build
from featherface.networks.layers.dropblock import DropBlock
from featherface.training.loading.random_state import seed_step
from featherface.variants.table import variant


def test_blocks_of_the_asked_share_and_size_are_left_out():
    torch.manual_seed(0)
    features = torch.ones(64, 2, 20, 20)
    (dropped,) = DropBlock(0.2, 5).train()([features])
    zero = dropped == 0
    assert 0.14 < zero.float().mean() < 0.2  # blocks overlap
    assert torch.equal(zero[:, 0], zero[:, 1])
    assert dropped.mean().item() == pytest.approx(1, abs=1e-4)
    middles = torch.nn.functional.avg_pool2d(zero[:, :1].float(), 5, stride=1) == 1
    grown = torch.nn.functional.conv_transpose2d(middles.float(), torch.ones(1, 1, 5, 5)) > 0
    assert torch.equal(grown, zero[:, :1])  # whole blocks and nothing else


def test_small_maps_get_small_blocks():
    torch.manual_seed(0)
    maps = [torch.ones(8, 1, size, size) for size in (8, 4, 2)]
    dropped = DropBlock(0.5, 7).train()(maps)
    assert [one.shape for one in dropped] == [one.shape for one in maps]
    assert all((one == 0).any() for one in dropped)


def test_a_network_with_it_has_the_same_weights_and_the_same_answers_in_use():
    plain, dropping = (build(variant("v2", dropblock=share), seed=1) for share in (0.0, 0.3))
    assert plain.state_dict().keys() == dropping.state_dict().keys()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for one, two in zip(plain.eval()(images), dropping.eval()(images), strict=True):
            assert torch.equal(one, two)
        first, second = (dropping.train()(images).logits for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_what_is_left_grows_alike_in_every_precision(dtype):
    """A map of more positions than half precision can count."""
    torch.manual_seed(0)
    (dropped,) = DropBlock(0.2, 5).train()([torch.ones(2, 1, 256, 256, dtype=dtype)])
    assert dropped.dtype == dtype
    assert dropped.double().mean().item() == pytest.approx(1, rel=4e-3)


def test_a_steps_blocks_follow_from_its_place_alone():
    drop, maps = DropBlock(0.3, 3).train(), [torch.ones(4, 1, 16, 16)]

    def blocks(*place):
        seed_step(*place)
        return drop(maps)[0]

    first = blocks(5, 0, 0, 0)
    torch.rand(100)
    assert torch.equal(blocks(5, 0, 0, 0), first)
    assert not torch.equal(drop(maps)[0], first)
    for elsewhere in ((6, 0, 0, 0), (5, 1, 0, 0), (5, 0, 1, 0), (5, 0, 0, 1)):
        assert not torch.equal(blocks(*elsewhere), first)


def test_every_device_draws_anew(monkeypatch):
    """PyTorch seeds the generators of all devices there are; a GPU's are among them."""
    seeds = []
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: False)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    for place in ((1, 2, 3, 0), (1, 2, 3, 0), (1, 2, 3, 1)):
        seed_step(*place)
    assert seeds[0] == seeds[1] == torch.Generator().manual_seed(seeds[0]).initial_seed()
    assert seeds[2] != seeds[0]


@pytest.mark.parametrize(("key", "value"), [("dropblock", 1.0), ("dropblock_size", 4)])
def test_what_is_not_legal_is_named(key, value):
    with pytest.raises(errors.UsageError, match=f"model.{key}"):
        variant("v2", **{key: value})
