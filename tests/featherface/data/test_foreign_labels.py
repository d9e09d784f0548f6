"""Labels as other programs write them: landmarks that are none, boxes that are corners."""

import numpy as np
import pytest
from PIL import Image

from featherface.data.annotation_files import read_annotation
from featherface.data.augmentation.crops import BOX, FILE, read_crops
from featherface.data.augmentation.crops import POINTS as POINT_COLUMNS
from featherface.data.fingerprint import fingerprint, split_digest
from featherface.data.formats.conversion import convert, open_any
from featherface.data.statistics import statistics
from featherface.data.widerface import open_split
from featherface.data_quality.verification import verify_split
from featherface.errors import DataError

BOXES = [(2 + 9 * step, 3 + 6 * step, 8, 9) for step in range(6)]
"""x y w h, of which the last ones lie in the right half of a picture of 64 x 48."""
POINTS = "3 4 {flag} 6 4 {flag} 5 6 {flag} 4 8 {flag} 6 8 {flag}"


def label_set(root, lines, size=(64, 48), header="# 0--A/x.jpg"):
    """Write a set of one picture in RetinaFace's layout, with LINES for its faces."""
    folder = root / "WIDER_train" / "images" / "0--A"
    folder.mkdir(parents=True)
    Image.new("RGB", size).save(folder / "x.jpg")
    (root / "train").mkdir()
    (root / "train" / "label.txt").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return root


def known(split):
    return [bool(np.isfinite(points).all()) for image in split.images for points in image.landmarks]


@pytest.mark.parametrize("none", ["-1 -1 -1", "-1.0 -1.0 0", "-1 -1 1", "0 0 0", "0.0 0.0 -1"])
def test_landmarks_of_minus_one_or_zero_are_none_in_reading_stats_and_converting(tmp_path, none):
    lines = ["2 3 8 9 " + " ".join([none] * 5), "2 3 8 9 " + POINTS.format(flag=0)]
    split = open_split(label_set(tmp_path / "set", lines), "train")
    assert known(split) == [False, True]
    assert statistics(split)["faces_with_landmarks"] == 1
    for layout in ("widerface", "yolo", "coco"):
        out = tmp_path / layout
        convert(split, layout, out, "link")
        assert known(open_any(out, "train")) == [False, True], layout


@pytest.mark.parametrize("none", ["-1 -1", "0 0", "-1 -1 2", "0 0 2", "0 0 0"])
def test_landmarks_that_yolo_labels_do_not_have_are_none(tmp_path, none):
    (tmp_path / "images" / "val").mkdir(parents=True)
    (tmp_path / "labels" / "val").mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(tmp_path / "images" / "val" / "x.jpg")
    line = "0 0.5 0.5 0.25 0.25 " + " ".join([none] * 5)
    (tmp_path / "labels" / "val" / "x.txt").write_text(line, encoding="utf-8")
    assert known(open_any(tmp_path, "val")) == [False]


def test_one_landmark_of_minus_one_makes_the_faces_landmarks_unknown(tmp_path):
    line = "2 3 8 9 3 4 0 6 4 0 -1 -1 -1 4 8 0 6 8 0"
    assert known(open_split(label_set(tmp_path, [line]), "train")) == [False]


@pytest.mark.parametrize("points", [[-1] * 10, [0] * 10, [3, 4, 6, 4, -1, -1, 4, 8, 6, 8]])
def test_landmarks_of_minus_one_or_zero_in_a_table_of_crops_are_none(tmp_path, points):
    head = ",".join((FILE, *BOX, *POINT_COLUMNS))
    row = ",".join(map(str, ["x.jpg", 1, 1, 5, 5, *points]))
    (tmp_path / "a.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    (crop,) = read_crops(tmp_path / "a.csv")
    assert np.isnan(crop.landmarks).all()


def corner_lines(points=" -1 -1 -1" * 5):
    return [f"{x} {y} {x + w} {y + h}{points}" for x, y, w, h in BOXES]


@pytest.mark.parametrize("header", ["# 0--A/x.jpg 64 48", "# 0--A/x.jpg"])
def test_labels_of_corners_as_scrfd_writes_them_are_refused_and_converted_on_request(
    tmp_path, header
):
    root = label_set(tmp_path / "set", corner_lines(), header=header)
    with pytest.raises(DataError, match=r"corners \(x1 y1 x2 y2\), not x y width height") as caught:
        open_split(root, "train")
    assert "--boxes corners" in caught.value.hint
    split = open_any(root, "train", corners=True)
    convert(split, "widerface", tmp_path / "out", "link")
    boxes = open_split(tmp_path / "out", "train").images[0].boxes
    assert boxes.tolist() == [[x, y, x + w, y + h] for x, y, w, h in BOXES]


def test_boxes_of_coco_that_are_corners_are_refused_too(tmp_path):
    root = label_set(tmp_path / "set", corner_lines())
    out = tmp_path / "coco"
    convert(open_any(root, "train", corners=True), "coco", out, "link")
    file = out / "annotations" / "instances_train.json"
    text = file.read_text(encoding="utf-8")
    for x, y, w, h in BOXES:
        text = text.replace(
            f"[{x:.1f}, {y:.1f}, {w:.1f}, {h:.1f}]", f"[{x}, {y}, {x + w}, {y + h}]"
        )
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="corners"):
        open_any(out, "train")
    assert open_any(out, "train", corners=True).annotations.faces == len(BOXES)


def test_sizes_are_never_taken_for_corners(tmp_path):
    lines = [f"{x} {y} {w} {h}" for x, y, w, h in BOXES]
    assert open_split(label_set(tmp_path, lines), "train").annotations.faces == len(BOXES)


def test_a_picture_named_with_its_size_is_found(tmp_path):
    root = label_set(tmp_path, ["1 1 5 5"], header="# 0--A/x.jpg 64 48")
    assert read_annotation(root / "train" / "label.txt").images[0].path == "0--A/x.jpg"


def finding(root):
    verified = verify_split(open_split(root, "train"))
    return next(each for each in verified.findings if each.check == "boxes")


def test_boxes_far_outside_their_picture_are_a_fault_of_verify(tmp_path):
    fine = [f"{x} {y} {w} {h}" for x, y, w, h in BOXES]
    assert finding(label_set(tmp_path / "fine", fine)).ok is True
    told = finding(label_set(tmp_path / "far", [*fine, "10 10 900 900"]))
    assert told.ok is False
    assert "mostly outside their picture: 1 (0--A/x.jpg: 10 10 900 900 in 64x48)" in told.text
    assert finding(label_set(tmp_path / "off", [*fine, "900 900 5 5"])).ok is False
    cut_by_an_edge = finding(label_set(tmp_path / "edge", [*fine, "55 10 15 15"]))
    assert cut_by_an_edge.ok is True


def test_the_fingerprint_shown_follows_the_annotation(tmp_path):
    root = label_set(tmp_path, ["1 1 5 5"])
    before = split_digest(fingerprint(open_split(root, "train")))
    (root / "train" / "label.txt").write_text("# 0--A/x.jpg\n1 1 5 6\n", encoding="utf-8")
    assert split_digest(fingerprint(open_split(root, "train"))) != before
