"""The pretended accelerator notices what a real one would choke on or wait for."""

import copy
import pickle

import pytest
import torch
from stand_ins.pretended import PLACE, Remote, pretended
from torch import nn


@pytest.fixture
def tally():
    with pretended() as counted:
        yield counted


def there(values, tally):
    """Return VALUES on the device, where the way there is not counted."""
    moved = torch.as_tensor(values).to(PLACE, non_blocking=True)
    tally.clear()
    return moved


def test_tensors_are_there_and_hold_numbers(tally):
    values = there([1.0, 2.0, 3.0], tally)
    assert isinstance(values, Remote)
    assert values.device == PLACE
    assert (values * 2).sum().device == PLACE
    assert (values * 2).cpu().tolist() == [2, 4, 6]
    assert torch.zeros(3, device=PLACE).add(values).cpu().tolist() == [1, 2, 3]
    with pytest.raises(TypeError, match="cpu"):
        values.numpy()


def test_a_mix_of_devices_is_refused_and_names_the_shapes(tally):
    values = there([1.0, 2.0], tally)
    with pytest.raises(RuntimeError, match=r"one device.*\(2,\).*on the host"):
        values + torch.ones(2)
    with pytest.raises(RuntimeError, match="one device"):
        torch.cat((torch.ones(1), values))
    assert (values + torch.tensor(1.0)).cpu().tolist() == [2, 3]  # as CUDA takes scalars


WAITS = {
    "item": lambda one: one.sum().item(),
    "float": lambda one: float(one[0]),
    "bool": lambda one: bool((one > 0).all()),
    "tolist": lambda one: one.tolist(),
    "cpu": lambda one: one.cpu(),
    "nonzero": lambda one: one.nonzero(),
    "boolean index": lambda one: one[one > 1],
    "boolean assignment": lambda one: one.__setitem__(one > 1, 0.0),
    "index of the host": lambda one: one[torch.tensor([0, 1])],
    "list as index": lambda one: one[[0, 1]],
    "unique": lambda one: one.unique(),
    "blocking upload": lambda one: torch.ones(2).to(PLACE),
    "made of numbers": lambda one: torch.tensor([1.0, 2.0], device=PLACE),
    "made alike": lambda one: one.new_tensor([1.0, 2.0]),
    "scalar of the host in where": lambda one: torch.where(one > 1, one, torch.tensor(0.0)),
}
FREE = {
    "sum": lambda one: one.sum(),
    "index of the device": lambda one: one[torch.arange(2, device=PLACE)],
    "slice": lambda one: one[1:],
    "where": lambda one: torch.where(one > 1, one, 0.0),
    "scalar": lambda one: one * 2 + torch.tensor(1.0),
    "full": lambda one: one.new_full((2,), 3.0),
    "upload that nobody waits for": lambda one: torch.ones(2).to(PLACE, non_blocking=True),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_the_host_waits_for_is_counted(tally, name):
    values = there([1.0, 2.0, 3.0], tally)
    WAITS[name](values)
    assert tally.stalls == 1, tally.places


@pytest.mark.parametrize("name", FREE)
def test_what_only_hands_over_work_is_free(tally, name):
    values = there([1.0, 2.0, 3.0], tally)
    FREE[name](values)
    assert (tally.downloads, tally.stalls) == (0, 0), tally.places


def test_copies_are_counted_each_way(tally):
    values = torch.ones(2).to(PLACE)
    values.cpu()
    values.copy_(torch.zeros(2))
    assert tally.numbers == (2, 1, 3)
    tally.clear()
    assert tally.numbers == (0, 0, 0)


def test_a_network_moves_learns_and_is_written_as_one_of_the_host(tally):
    torch.manual_seed(0)
    near = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    far = copy.deepcopy(near)
    first = far[0].weight
    far.to(PLACE)
    assert far[0].weight is first  # optimizers that know it go on knowing it
    far = copy.deepcopy(far)
    images = torch.randn(2, 2, 5, 5)
    for network, shown in ((near, images), (far, images.to(PLACE))):
        optimizer = torch.optim.AdamW(network.parameters(), fused=True)
        network(shown).square().mean().backward()
        optimizer.step()
    for name, value in near.state_dict().items():
        torch.testing.assert_close(far.state_dict()[name].cpu(), value)
        read = pickle.loads(pickle.dumps(far.state_dict()[name]))  # noqa: S301 - our own
        assert type(read) is torch.Tensor
        torch.testing.assert_close(read, value)


def test_outside_the_block_nothing_is_pretended():
    with pretended():
        pass
    assert type(torch.zeros(1, device=PLACE)) is torch.Tensor
