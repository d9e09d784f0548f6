"""Crops of single mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from featherface.inference.crops import PALE, SEEN, TRUE, Scene, crop, region, sheet, touches


@pytest.fixture
def picture():
    return Image.new("RGB", (100, 80), (0, 120, 0))


def colours(image):
    return {colour for _, colour in image.getcolors(maxcolors=10**6)}


def test_a_missed_face_is_framed_among_the_others(picture):
    made = crop(picture, Scene((40, 30, 20, 20), missed=True, detections=((45, 30, 20, 20),)))
    assert made.size == (192, 192)
    assert {TRUE, SEEN} <= colours(made)
    assert PALE not in colours(made)


def test_a_false_alarm_has_the_colour_of_detections(picture):
    made = crop(picture, Scene((40, 30, 20, 20), missed=False))
    assert SEEN in colours(made)
    assert TRUE not in colours(made)


@pytest.mark.parametrize("box", [(-30, -30, 20, 20), (95, 75, 40, 40), (300, 300, 10, 10)])
def test_what_lies_beyond_the_picture_is_pale(picture, box):
    made = crop(picture, Scene(box, missed=False), side=96)
    assert made.size == (96, 96)
    assert PALE in colours(made)


@pytest.mark.parametrize("box", [(10, 10, 0, 0), (10, 10, -4, 5)])
def test_boxes_without_size_are_drawn(picture, box):
    assert SEEN in colours(crop(picture, Scene(box, missed=False)))


def test_a_small_face_shows_its_surroundings():
    assert region((10, 10, 4, 4)) == (-12, -12, 48, 48)
    assert region((0, 0, 50, 100))[2] == pytest.approx(240)


def test_touching_boxes_share_a_pixel():
    assert touches((0, 0, 10, 10), (9, 9, 5, 5))
    assert not touches((0, 0, 10, 10), (10, 0, 5, 5))


def test_a_sheet_numbers_its_crops(picture):
    one = crop(picture, Scene((40, 30, 20, 20), missed=True), side=64)
    made = sheet([one] * 7, columns=3)
    assert made.size == (3 * 72 - 8, 3 * 72 - 8)
    first, second = (np.asarray(made.crop((x, 0, x + 64, 64))) for x in (0, 72))
    assert (first != second).any()
    assert sheet([one]).size == (64, 64)
