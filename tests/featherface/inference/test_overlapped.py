"""What is done beside the network's pass: pixels on the way in, detections on the way out."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
import torch
from PIL import Image

from featherface.engines.engine import Answer, Engine
from featherface.errors import WeightsError
from featherface.geometry.priors import priors
from featherface.inference.detect import predict
from featherface.inference.in_order import InOrder
from featherface.inference.network_input import network_input
from featherface.variants.table import variant

CONFIG = variant("retinaface-mnet025")


class Sure(Engine):
    """Is sure of one prior, and calls LOOKED with the number of each look."""

    name = "torch"

    def __init__(self, looked=lambda _: None):
        super().__init__(CONFIG, torch.device("cpu"))
        self.looked, self.looks = looked, 0

    def __call__(self, pictures):
        self.looks += 1
        self.looked(self.looks)
        count = len(priors(CONFIG, *pictures.shape[-2:]))
        scores = torch.zeros(len(pictures), count)
        scores[:, 1] = 0.9
        boxes, points = (torch.zeros(len(pictures), count, last) for last in (4, 10))
        return Answer(boxes, scores, points)

    def fingerprint(self):
        return "sure"


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "images"
    for index, size in enumerate([(40, 32), (48, 32), (56, 32)]):
        path = folder / "0--A" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(path)
    return folder


@pytest.mark.parametrize("changes", [{}, {"channel_order": "rgb", "pixel_scale": 0.0078125}])
def test_bytes_become_what_pytorch_makes_of_them_to_the_last_bit(changes):
    config = replace(CONFIG, pixel_mean=(104.5, 117.25, 123.1), **changes)
    pixels = torch.randint(0, 256, (2, 7, 5, 3), dtype=torch.uint8)
    centred = (pixels.float() - torch.tensor(config.pixel_mean)).permute(0, 3, 1, 2)
    wanted = centred.flip(1) * 0.0078125 if changes else centred
    given = network_input(pixels, config)
    assert given.is_contiguous()
    assert torch.equal(given, wanted)
    assert torch.equal(network_input(pixels.float(), config), wanted)


def test_a_picture_is_finished_while_the_next_is_looked_at(pictures, tmp_path):
    saved, waited = tmp_path / "out" / "0--A" / "0.txt", []

    def wait_for_the_first(look):
        end = time.monotonic() + 20
        while look == 2 and not saved.is_file() and time.monotonic() < end:
            time.sleep(0.01)
        waited.append(saved.is_file())

    predict(Sure(looked=wait_for_the_first), CONFIG, pictures, save_to=tmp_path / "out")
    assert waited == [False, True, True]


def test_what_was_seen_before_a_fault_is_kept(pictures, tmp_path):
    def fail(look):
        if look == 3:
            raise WeightsError("damaged")

    with pytest.raises(WeightsError):
        predict(Sure(looked=fail), CONFIG, pictures, save_to=tmp_path / "out")
    assert [path.stem for path in sorted((tmp_path / "out" / "0--A").glob("*.txt"))] == ["0", "1"]


def test_pieces_are_finished_in_order_and_told_where_they_were_added():
    finished, told = [], []

    def finish(piece):
        time.sleep(0.01 * (3 - piece))
        finished.append((piece, threading.current_thread() is threading.main_thread()))
        return piece

    here = []
    with InOrder(
        finish, lambda piece: (told.append(piece), here.append(threading.get_ident()))
    ) as work:
        for piece in range(3):
            work.add(piece)
    assert finished == [(0, False), (1, False), (2, False)]
    assert told == [0, 1, 2]
    assert set(here) == {threading.get_ident()}


def test_a_fault_of_the_last_piece_is_raised_at_the_end():
    def fail(_):
        raise ValueError("of the last piece")

    def all_of_it():
        with InOrder(fail, print) as work:
            work.add(1)

    with pytest.raises(ValueError, match="of the last piece"):
        all_of_it()
