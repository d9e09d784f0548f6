"""Who makes the batches: how many processes, how they are asked, that they stay, and their end."""

import multiprocessing
import os
import shutil
import signal
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from featherface import errors
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.networks.detector import build
from featherface.training.config.train import TrainConfig
from featherface.training.loading import batches
from featherface.training.loading.batches import CACHE_BYTES, TrainingPictures, load, ordered
from featherface.training.loading.loader import CollatedDataset, Loader, loaders_ended, options
from featherface.training.loading.workers import (
    MAX_WORKERS,
    MAX_WORKERS_ON_WINDOWS,
    START_PAYS_FACTOR,
    LoaderMachine,
    ahead,
    announcement,
    batch_bytes,
    complaint,
    seconds_of,
    this_machine,
    workers_for,
)
from featherface.training.loop import train
from featherface.training.optimization.memory_format import lay_out_picture, upload_centred
from featherface.variants.table import variant

MEAN = (104.0, 117.0, 123.0)
CONFIG = TrainConfig(
    epochs=3, batch_size=2, image_size=64, log_every=1, device="cpu", multi_scale=(1.0, 1.5)
)
LONG = TrainConfig()
"""The official training: 350 epochs at 640 pixels, 32 pictures a batch."""
WIDER = 12880


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=96, train_images=6, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return root


@pytest.fixture(scope="module")
def split(data):
    return open_split(data, "train")


def pc(cores, **more):
    return LoaderMachine(cores=cores, **more)


CASES = {
    "a processor computes itself": ("cpu", WIDER, pc(64), {}, 0),
    "a GPU leaves all cores but one": ("cuda", WIDER, pc(8), {}, 7),
    "so does a Mac's": ("mps", WIDER, pc(8), {}, 7),
    "more are of no use": ("cuda", WIDER, pc(96), {}, MAX_WORKERS),
    "Windows": ("cuda", WIDER, pc(16, windows=True), {}, MAX_WORKERS_ON_WINDOWS),
    "Windows with two cores": ("cuda", WIDER, pc(2, windows=True), {}, 1),
    "a single core": ("cuda", WIDER, pc(1), {}, 0),
    "two processes share the cores": ("cuda", WIDER, pc(8, processes=2), {}, 3),
    "a tiny set for a few epochs": ("cuda", 48, pc(8), {"epochs": 2}, 0),
    "a tiny set on Windows": ("cuda", 200, pc(8, windows=True), {"epochs": 10}, 0),
    "the same elsewhere": ("cuda", 200, pc(8), {"epochs": 10}, 6),
    "no more than batches": ("cuda", 96, pc(8), {}, 3),
    "fewer than a batch": ("cuda", 20, pc(8), {}, 1),
    "little shared memory": ("cuda", WIDER, pc(8, shared=64 * 2**20), {}, 0),
    "some shared memory": ("cuda", WIDER, pc(8, shared=2**29), {}, 4),
    "what the recipe says": ("cuda", 48, pc(2), {"workers": 5}, 5),
    "none, as the recipe says": ("cuda", WIDER, pc(8), {"workers": 0}, 0),
    "some, as the recipe says": ("cpu", 48, pc(2), {"workers": 2}, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_auto_counts_cores_batches_and_what_starting_costs(case):
    device, pictures, machine, changes, wanted = CASES[case]
    assert workers_for(replace(LONG, **changes), device, pictures, machine) == wanted


def test_auto_is_what_a_recipe_says_that_says_nothing():
    assert TrainConfig().workers == "auto"
    assert TrainConfig().unsettled == ()
    for wrong in (-1, "many"):
        with pytest.raises(errors.UsageError, match=r"train\.workers.*0 or more, or auto"):
            TrainConfig(workers=wrong)


def test_this_machine_has_a_core():
    assert 1 <= this_machine().cores <= (os.cpu_count() or 1)
    assert this_machine(processes=10**6).most == 0


def test_large_batches_are_not_piled_up():
    assert ahead(0, LONG) is None
    assert ahead(4, LONG) == 2
    huge = replace(LONG, batch_size=256)
    assert ahead(8, huge) == 1
    assert batch_bytes(LONG) == 32 * 3 * 640**2
    assert batch_bytes(replace(LONG, multi_scale=(0.5, 1.5))) == 32 * 3 * 960**2


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_options_by_device(device, workers):
    found = options(workers, device, 2)
    assert found["pin_memory"] is (device == "cuda")
    assert found["num_workers"] == workers
    assert found["persistent_workers"] is (workers > 0)
    assert found["prefetch_factor"] == (2 if workers else None)
    assert found["multiprocessing_context"] == ("spawn" if workers else None)


def test_a_processor_is_never_warned_of_pinned_memory(split):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(load(split, CONFIG, MEAN, ordered(split, CONFIG)))) == 3


def test_loading_draws_no_number_of_the_training(split):
    torch.manual_seed(4)
    before = torch.get_rng_state()
    list(load(split, CONFIG, MEAN, ordered(split, CONFIG)))
    assert torch.equal(torch.get_rng_state(), before)


def makers():
    return {one.pid for one in multiprocessing.active_children()}


def epochs_of(split, workers, between=lambda: None):
    """Return the batches of an epoch, of the next, and of what is left of the one after."""
    config = replace(CONFIG, workers=workers, cache=False)
    order = ordered(split, config)
    found, pids = [], []
    with loaders_ended():
        loader = load(split, config, MEAN, order, named=True)
        for order.epoch, order.start in ((0, 0), (1, 0), (2, 1)):
            found.append(list(loader))
            pids.append(makers())
            between()
    return found, pids


def same_batch(one, two):
    return (
        one.paths == two.paths
        and one.names == two.names
        and torch.equal(one.images, two.images)
        and all(torch.equal(a, b) for a, b in zip(one.targets, two.targets, strict=True))
    )


def interrupt():
    """Press Ctrl-C, for the processes that load alone."""
    for pid in makers():
        os.kill(pid, signal.SIGINT)


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_the_same_processes_load_the_same_batches_epoch_after_epoch(split, workers):
    plain, nobody = epochs_of(split, 0)
    loaded, pids = epochs_of(split, workers, interrupt if os.name == "posix" else lambda: None)
    assert nobody == [set()] * 3
    assert pids[0] == pids[1] == pids[2]
    assert len(pids[0]) == workers
    assert not makers()
    assert [len(epoch) for epoch in loaded] == [3, 3, 2]
    for one, two in zip(plain, loaded, strict=True):
        assert all(map(same_batch, one, two))


@pytest.mark.slow
def test_a_damaged_picture_is_told_as_without_processes(split, data, tmp_path):
    shutil.copytree(data, tmp_path / "set")
    damaged = open_split(tmp_path / "set", "train")
    for image in damaged.images:
        damaged.path(image).write_bytes(b"no picture")
    told = []
    for workers in (0, 1):
        config = replace(CONFIG, workers=workers)
        unread = pytest.raises(errors.DataError, match="can't read the picture")
        with unread as caught, loaders_ended():
            list(load(damaged, config, MEAN, ordered(damaged, config)))
        told.append((caught.value.message, caught.value.hint))
    assert told[0] == told[1]
    assert not makers()


def test_a_lost_process_is_told_with_what_to_do():
    @loaders_ended()
    def lose(text):
        raise RuntimeError(text)

    with pytest.raises(errors.UnavailableError, match="was lost") as caught:
        lose("DataLoader worker (pid 7) is killed by signal: Killed.\nmore")
    assert "train.workers=0" in caught.value.hint
    assert "more" not in caught.value.message
    with pytest.raises(RuntimeError, match="something else"):
        lose("something else")


def test_processes_share_what_memory_holds(split):
    for holders, room in ((0, CACHE_BYTES), (1, CACHE_BYTES), (4, CACHE_BYTES // 4)):
        assert TrainingPictures(split, CONFIG, MEAN, holders=holders).room == room
    assert TrainingPictures(split, replace(CONFIG, cache=False), MEAN).room == 0


@pytest.mark.slow
def test_a_training_with_processes_stops_goes_on_and_ends_as_one_without(split, tmp_path):
    def go(folder, workers, **more):
        events, said = [], []
        train(
            build(variant("v3-nano"), 3),
            split,
            replace(CONFIG, workers=workers),
            folder=tmp_path / folder,
            on_event=events.append,
            on_message=said.append,
            **more,
        )
        return events, said

    plain, _ = go("plain", 0)
    calls = iter([False, True])
    with pytest.raises(errors.InterruptedRunError):
        go("stopped", 1, should_stop=lambda: next(calls))
    assert not makers()
    events, said = go("stopped", 1, resume=True)
    assert not makers()
    assert any(one.startswith("a process loads the pictures") for one in said)
    assert {one["workers"] for one in plain if one["kind"] == "epoch"} == {0}
    assert {one["workers"] for one in events if one["kind"] == "epoch"} == {1}
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("plain", "stopped"))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("last", [True, False])
def test_bytes_become_the_numbers_that_they_were_before(last):
    config = replace(CONFIG, channels_last=last)
    rng = np.random.default_rng(1)
    mean = (103.939, 116.779, 123.68)
    pixels = rng.integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    laid = [lay_out_picture(Image.fromarray(one), config) for one in pixels]
    stacked = batches.stack(laid)
    assert stacked.dtype == torch.uint8
    centred = upload_centred(stacked, torch.tensor(mean))
    wanted = pixels.transpose(0, 3, 1, 2)[:, ::-1].astype(np.float32)
    wanted = wanted - np.array(mean, dtype=np.float32)[:, None, None]
    assert centred.dtype == torch.float32
    np.testing.assert_array_equal(centred.numpy(), wanted)
    order = torch.channels_last if last else torch.contiguous_format
    assert stacked.is_contiguous(memory_format=order)
    assert centred.is_contiguous(memory_format=order)


def test_gathering_hands_on_what_a_user_is_told():
    class Broken(torch.utils.data.Dataset):
        def __getitem__(self, key):
            raise errors.DataError("no picture", "fetch it")

    dataset = CollatedDataset(Broken(), list)
    assert isinstance(dataset.__getitems__([(0, 1)]), errors.DataError)
    with pytest.raises(errors.DataError, match="no picture"):
        list(Loader(dataset, [[(0, 1)]], options(0, "cpu", None)))


def waited(share=0.62, **values):
    return {"kind": "epoch", "loading": share, "epoch": 2, "seconds": 600.0, "workers": 0} | values


ADVICE = {
    "as many as the wait asks for": (waited(), LONG, pc(8), "train.workers=3"),
    "more of them": (waited(workers=4), LONG, pc(16), "train.workers=11"),
    "never more than there are cores for": (waited(0.95), LONG, pc(4), "train.workers=3"),
    "none where there is no core": (waited(), LONG, pc(2), ""),
    "none where all are in use": (waited(workers=7), LONG, pc(8), ""),
    "none for a small set": (waited(seconds=0.3), replace(LONG, epochs=20), pc(8), ""),
    "fewer for a small set": (
        waited(seconds=0.3, workers=2),
        replace(LONG, epochs=20, workers=2),
        pc(2),
        "train.workers=auto",
    ),
    "fewer than cores": (waited(workers=4), replace(LONG, workers=4), pc(2), "train.workers=auto"),
    "none for the last epoch": (waited(epoch=350), LONG, pc(8), ""),
}


@pytest.mark.parametrize("case", ADVICE)
def test_advice_is_what_makes_it_faster(case):
    event, config, machine, wanted = ADVICE[case]
    text = complaint(event, config, machine)
    assert "62%" in text or "95%" in text
    assert "fewer train.augmentations" in text
    assert (wanted in text) if wanted else ("workers" not in text)
    assert ("train.cache=true" in complaint(event, replace(config, cache=False), machine)) is True
    assert "train.cache" not in text


def test_how_many_load_is_told_and_where_they_are_too_many():
    assert announcement(0, pc(8)) == ""
    assert announcement(1, pc(8)) == "a process loads the pictures"
    assert announcement(7, pc(8)) == "7 processes load the pictures"
    crowded = announcement(4, pc(2))
    assert crowded.startswith("4 processes load the pictures, for which 2 cores are too few")
    assert "train.workers=auto" in crowded


def test_nobody_is_advised_who_does_not_wait():
    assert complaint(waited(0.1), LONG, pc(8)) == ""
    assert complaint({"kind": "step"}, LONG, pc(8)) == ""


def test_a_small_set_is_one_that_is_made_before_processes_have_started():
    machine = pc(8)
    edge = int(START_PAYS_FACTOR * machine.start / seconds_of(replace(LONG, epochs=1), 1))
    once = replace(LONG, epochs=1)
    assert workers_for(once, "cuda", edge - 1, machine) == 0
    assert workers_for(once, "cuda", edge + 1, machine) > 0
