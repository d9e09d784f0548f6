"""Memory that is kept between the steps of a training."""

from __future__ import annotations

import itertools
import sys

import pytest
import torch

from featherface.devices import kept_memory as module
from featherface.devices.kept_memory import keeping_memory, keeps_memory, kept_memory

CPU = torch.device("cpu")
LARGE = 64 * 2**20
"""Bytes; glibc gives such a block back at once."""
on_glibc = pytest.mark.skipif(not keeps_memory(CPU), reason="the C library is not glibc")


def page_faults():
    """How many pages this process has been given."""
    resource = pytest.importorskip("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def faults_of_large_blocks():
    """Pages that each of 20 blocks, made and freed one after the other, asks for."""
    counts = [page_faults()]
    for _ in range(20):
        torch.ones(LARGE, dtype=torch.uint8)
        counts.append(page_faults())
    return [after - before for before, after in itertools.pairwise(counts)]


@on_glibc
def test_what_is_freed_is_there_for_the_next_block_and_given_back_at_the_end():
    psutil = pytest.importorskip("psutil")
    with kept_memory(CPU, wanted=True) as kept:
        assert kept
        # Something small may sit down where the block was, until all that is small has its place.
        assert max(faults_of_large_blocks()[-5:]) < 100
        within = psutil.Process().memory_info().rss
    assert within - psutil.Process().memory_info().rss > LARGE / 2


@on_glibc
@pytest.mark.parametrize("fails", [False, True])
def test_memory_is_kept_from_batch_to_batch_and_no_longer(fails, monkeypatch):
    calls = []

    class Library:
        def mallopt(self, *words):
            calls.append(words)

        def malloc_trim(self, _):
            calls.append("trim")

    monkeypatch.setattr(module, "_glibc", Library)
    batches = keeping_memory(iter("abc"), CPU, wanted=True)
    assert next(batches) == "a"
    assert calls == [(module.MMAP_MAX, 0), (module.TRIM_THRESHOLD, -1)]
    if fails:
        batches.close()  # as a loop does that an error ends
    else:
        assert list(batches) == ["b", "c"]
    assert calls[2:] == [
        (module.MMAP_THRESHOLD, 32 * 2**20),
        (module.TRIM_THRESHOLD, 64 * 2**20),
        (module.MMAP_MAX, 65536),
        "trim",
    ]


@pytest.mark.parametrize(
    ("device", "wanted", "platform"),
    [("cuda", True, "linux"), ("cpu", False, "linux"), ("cpu", True, "win32")],
)
def test_elsewhere_nothing_changes(device, wanted, platform, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    module._glibc.cache_clear()  # the platform is another now
    try:
        with kept_memory(torch.device(device), wanted=wanted) as kept:
            assert not kept
    finally:
        module._glibc.cache_clear()
