"""Mean and maximum of the memory of passes: an allocator's, and a process's own."""

import pytest
import torch
from stand_ins.small_exports import NAME, small_network
from torch import nn

from featherface.errors import UnavailableError
from featherface.export.formats import ExportConfig
from featherface.export.writing import export
from featherface.profiling import memory, resident_memory
from featherface.profiling.config import BenchmarkConfig

pytestmark = pytest.mark.usefixtures("traced_once")
CONFIG = BenchmarkConfig(image_size=64, runs=3, warmup=0, device="cpu", threads=1)


def test_a_cards_allocator_is_asked_of_every_pass(monkeypatch):
    class Card:
        type = "cuda"

    peaks, asked = iter([4e6, 9e6, 5e6]), []
    monkeypatch.setattr(memory, "choose", lambda _: Card())
    monkeypatch.setattr(memory, "measuring", lambda *_: torch.no_grad())
    monkeypatch.setattr(memory, "made_up", lambda *_: torch.zeros(1, 3, 64, 64))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", asked.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: next(peaks))
    told = memory.pass_memory(nn.Identity(), CONFIG)
    assert (told.mean, told.max, told.passes, told.counted) == (6.0, 9.0, 3, "allocator")
    assert len(asked) == 3


def test_tensors_of_a_pass_are_the_same_in_every_pass():
    told = memory.pass_memory(nn.Conv2d(3, 8, 1), CONFIG)
    assert (told.mean, told.passes, told.counted) == (told.max, 1, "tensors")


def test_a_file_is_weighed_by_what_a_process_of_its_own_grows_by(tmp_path):
    config = ExportConfig(parity_sizes=((64, 64),), parity_batches=(1,))
    (file,) = export(small_network(), config, tmp_path, "nano", NAME)
    told = resident_memory.resident_memory(file.path, CONFIG)
    assert (told.counted, told.passes) == ("process", 3)
    assert file.megabytes < told.mean <= told.max < 2000


def test_a_file_that_can_not_be_run_says_why(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(UnavailableError, match=r"memory of broken\.onnx can't be measured: .+"):
        resident_memory.resident_memory(path, CONFIG)
