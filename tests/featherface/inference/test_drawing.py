from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from featherface.errors import UnavailableError, UsageError
from featherface.geometry.detections import Detections
from featherface.inference.drawing import SAVED, draw, save


def faces(*boxes, score=0.9):
    table = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    middle = (table[:, :2] + table[:, 2:]) / 2
    return Detections(table, np.full(len(table), score, np.float32), np.tile(middle, 5))


def blank(height, width):
    return np.full((height, width, 3), 127, np.uint8)


def changed(picture):
    return (np.asarray(picture) != 127).any(axis=2)


def test_the_picture_itself_is_left_alone():
    image = blank(60, 80)
    draw(image, faces((10, 20, 40, 50)))
    assert (image == 127).all()


def test_colours_are_turned_from_blue_green_red():
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 0] = 255
    assert draw(image, faces()).getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.parametrize("side", [100, 300, 1000, 4000])
def test_a_face_gets_a_frame_points_and_a_score_at_any_size(side):
    box = (side * 0.4, side * 0.4, side * 0.6, side * 0.7)
    marks = changed(draw(blank(side, side), faces(box)))
    assert marks[round(box[1]), round(side / 2)]
    assert marks[round(side * 0.55), round(side / 2)] == (side * 0.2 >= 20)
    above = marks[: round(box[1]) - 3]
    assert above.any(), "the score stands above the frame"
    letters = above.any(axis=1).sum()
    assert 8 <= letters <= max(side / 20, 20)


def test_scores_of_neighbours_cover_neither_faces_nor_each_other():
    boxes = [(x, y, x + 22, y + 22) for x in range(0, 480, 24) for y in range(0, 480, 24)]
    framed = draw(blank(480, 480), faces(*boxes))
    plain = np.asarray(framed)
    inside = [plain[y + 4 : y + 8, x + 4 : x + 8] for x, y, _, _ in boxes[21:]]
    assert all((part == 127).all() for part in inside), "no letters on a crowded face"


def test_faces_over_the_border_and_of_no_size_are_drawn():
    edges = [(-30, -30, 10, 10), (90, 90, 150, 160), (50, 50, 50, 50), (-500, 20, 600, 40)]
    assert changed(draw(blank(100, 100), faces(*edges))).any()


def test_landmarks_that_are_unknown_are_left_out():
    found = faces((100, 100, 300, 300))
    found.landmarks[:] = np.nan
    assert not changed(draw(blank(400, 400), found))[150:250, 150:250].any()


@pytest.mark.parametrize("ending", [*SAVED, ".JPG"])
def test_saving(tmp_path, ending):
    path = tmp_path / "new" / f"picture{ending}"
    save(Image.new("RGB", (30, 20), (255, 0, 0)), path)
    with Image.open(path) as again:
        assert again.size == (30, 20)
        assert again.format == SAVED[ending.lower()]


def test_unknown_endings_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"as '\.tiff'"):
        save(Image.new("RGB", (3, 2)), tmp_path / "picture.tiff")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UnavailableError, match="can't write"):
        save(Image.new("RGB", (3, 2)), tmp_path / "file" / "picture.png")
