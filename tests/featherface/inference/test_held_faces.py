from __future__ import annotations

import numpy as np
import pytest

from featherface.geometry.detections import Detections
from featherface.inference.held_faces import HeldFaces


def face_at(*places):
    boxes = np.float32([(x, 0, x + 5, 5) for x in places]).reshape(-1, 4)
    return Detections(boxes, np.ones(len(boxes), np.float32), np.tile(boxes[:, :2], 5))


@pytest.mark.parametrize("hold", [0, 1, 2, 9])
def test_a_frame_has_the_faces_of_its_neighbours_on_both_sides(hold):
    held, given = HeldFaces(hold), []
    for number in range(8):
        given += held.add(number, face_at(number))
        assert len(held._waiting) <= hold
        assert len(held._faces) <= 2 * hold + 1
    given += held.rest()
    assert [number for number, _ in given] == list(range(8))
    for number, faces in given:
        near = [x for x in range(8) if abs(x - number) <= hold]
        assert sorted(faces.boxes[:, 0].tolist()) == near


def test_a_face_missed_in_one_frame_stays_covered():
    held = HeldFaces(1)
    looks = [face_at(3), face_at(), face_at(4)]
    given = [each for n, look in enumerate(looks) for each in held.add(n, look)] + held.rest()
    assert [len(faces) for _, faces in given] == [1, 2, 1]
