from __future__ import annotations

import numpy as np
import pytest

from featherface.geometry.detections import Detections
from featherface.inference.blur_methods import BLUR_METHODS
from featherface.inference.face_blur import COVERS, blurred, covered_area

LIMITS = (400, 300)


def noise(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (300, 400, 3)).astype(np.uint8)


def faces(*boxes, landmarks=None):
    table = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.tile((table[:, :2] + table[:, 2:]) / 2, 5) if landmarks is None else landmarks
    return Detections(table, np.full(len(table), 0.9, np.float32), points.astype(np.float32))


def test_every_method_has_its_cover():
    assert COVERS.keys() == BLUR_METHODS.keys()


@pytest.mark.parametrize("method", BLUR_METHODS)
def test_two_pictures_that_differ_only_in_a_face_s_detail_become_the_same(method):
    """What remains does not depend on the detail: nothing can bring it back."""
    image, found = noise(), faces((100, 100, 180, 180))
    left, top, right, bottom = covered_area(found.boxes[0], found.landmarks[0], *LIMITS)
    other = image.copy()
    for y in range(top, bottom, 20):  # cells of 20 pixels: a quarter of the face
        for x in range(left, right, 20):
            cell = other[y : min(y + 20, bottom), x : min(x + 20, right)]
            cell[:] = cell[::-1, ::-1].copy()
    assert not np.array_equal(image, other)
    assert np.array_equal(blurred(image, found, method), blurred(other, found, method))


@pytest.mark.parametrize("side", [3, 10, 40, 150])
def test_of_a_face_of_any_size_a_few_colours_are_left(side):
    found = faces((100, 60, 100 + side, 60 + side))
    covered = blurred(noise(), found, "pixelate")
    face = covered[60 : 60 + side, 100 : 100 + side].reshape(-1, 3)
    assert len(np.unique(face, axis=0)) <= 5 * 5  # the grid begins at the margin, not at the box


def test_filled_faces_are_of_one_colour():
    found = faces((100, 60, 140, 110))
    covered = blurred(noise(), found, "fill")
    assert len(np.unique(covered[60:110, 100:140].reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("method", BLUR_METHODS)
def test_margin_and_landmarks_are_covered_and_the_rest_is_as_it_was(method):
    image = noise()
    points = np.tile(np.float32([215, 120]), (1, 5))  # right of the box and its margin
    found = faces((100, 100, 180, 180), landmarks=points)
    changed = (blurred(image, found, method) != image).any(axis=2)
    assert changed[76:204, 76:226].mean() > 0.95
    changed[76:204, 76:227] = False
    assert not changed.any()
    assert np.array_equal(image, noise())


def test_a_stray_landmark_covers_no_more_than_a_face_s_neighbourhood():
    points = np.array([[np.nan, np.inf, *(5000,) * 8]], np.float32)
    area = covered_area(np.float32([100, 100, 120, 120]), points[0], *LIMITS)
    assert area == (94, 94, 143, 143)


def test_overlapping_faces_and_faces_over_the_border_are_covered():
    found = faces((-30, -20, 40, 60), (10, 10, 60, 60), (380, 290, 500, 420), (900, 900, 950, 950))
    image = noise()
    covered = blurred(image, found, "pixelate")
    assert (covered[:60, :60] != image[:60, :60]).any(axis=2).mean() > 0.95
    assert (covered[290:, 380:] != image[290:, 380:]).any(axis=2).mean() > 0.95
