"""A data set says the same in every layout, and what a layout can't hold is counted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from featherface.data.annotation import ATTRIBUTES, Annotations, ImageAnnotation
from featherface.data.fingerprint import fingerprint
from featherface.data.formats.coco import OTHER_CATEGORY
from featherface.data.formats.conversion import LAYOUTS, convert, open_any, tell_layout
from featherface.data.formats.yolo import CLIPPED, INVALID, OTHER_CLASS
from featherface.data.widerface import Split
from featherface.errors import DataError, RefusedError, UsageError
from thesis_cli.commands.data import convert as command

WIDTH, HEIGHT = 64, 48


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of two pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "images"
    for name in ("0--A/x.jpg", "1--B/y.png"):
        (folder / name).parent.mkdir(parents=True)
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / name)
    return folder


def split_of(pictures, faces):
    """Return a split whose first picture holds FACES (box, points or None, attributes)."""
    boxes = np.array([box for box, _, _ in faces], dtype=np.float32).reshape(-1, 4)
    unknown = [np.nan] * 10
    points = np.array([points or unknown for _, points, _ in faces], dtype=np.float32)
    values = np.array([values for *_, values in faces], dtype=np.int64)
    first = ImageAnnotation("0--A/x.jpg", boxes, points.reshape(-1, 10), values.reshape(-1, 6))
    empty = ImageAnnotation(
        "1--B/y.png",
        np.zeros((0, 4), np.float32),
        np.zeros((0, 10), np.float32),
        np.zeros((0, 6), np.int64),
    )
    file = pictures / "annotation.txt"
    return Split(pictures.parent, "val", pictures, Annotations((first, empty)), "widerface", file)


def boxes_strategy():
    x = st.integers(0, WIDTH - 8)
    y = st.integers(0, HEIGHT - 8)
    box = st.builds(
        lambda left, top, wide, high: (left, top, min(left + wide, WIDTH), min(top + high, HEIGHT)),
        x,
        y,
        st.integers(1, 60),
        st.integers(1, 40),
    )
    points = st.none() | st.lists(st.integers(1, 40), min_size=10, max_size=10)
    values = st.tuples(
        *(st.integers(0, 2) for _ in range(3)), st.just(0), *(st.integers(0, 2),) * 2
    )
    return st.lists(st.tuples(box, points, values), max_size=5)


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=15)
@given(faces=boxes_strategy())
def test_there_and_back(pictures, tmp_path_factory, layout, faces):
    before = split_of(pictures, faces)
    out = tmp_path_factory.mktemp("out")
    done = convert(before, layout, out, "link")
    assert (done.images, done.faces) == (2, len(faces))
    assert tell_layout(out, "val") == layout
    after = open_any(out, "val")
    assert [image.path for image in after.images] == ["0--A/x.jpg", "1--B/y.png"]
    for one, other in zip(before.images, after.images, strict=True):
        assert other.boxes == pytest.approx(one.boxes, abs=1e-4)
        if layout != "widerface":  # its own file has none; label.txt is read for training
            assert other.landmarks == pytest.approx(one.landmarks, abs=1e-4, nan_ok=True)
        if layout != "yolo":
            assert np.array_equal(other.attributes, one.attributes)
    assert fingerprint(after)["faces"] == len(faces)
    assert len(fingerprint(after)["annotation_sha256"]) == 64


def test_what_yolo_cannot_hold_is_counted(pictures, tmp_path):
    faces = [
        ((-5, 2, 20, 20), None, (0,) * 6),
        ((1, 1, 9, 9), None, (0, 0, 0, 1, 0, 0)),
        ((30, 30, 40, 40), None, (0,) * 6),
    ]
    done = convert(split_of(pictures, faces), "yolo", tmp_path)
    assert done.changed == {CLIPPED: 1, INVALID: 1}
    assert done.faces == 2
    after = open_any(tmp_path, "val")
    assert after.images[0].boxes[0] == pytest.approx([0, 2, 20, 20], abs=1e-5)


def test_invalid_faces_are_crowds_in_coco(pictures, tmp_path):
    faces = [((1, 1, 9, 9), None, (0, 0, 0, 1, 0, 0))]
    convert(split_of(pictures, faces), "coco", tmp_path)
    file = tmp_path / "annotations" / "instances_val.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    (box,) = content["annotations"]
    assert (box["iscrowd"], box["bbox"], box["area"]) == (1, [1, 1, 8, 8], 64)
    assert content["categories"][0]["name"] == "face"
    assert set(box["attributes"]) == set(ATTRIBUTES)


def test_a_foreign_coco_file(pictures, tmp_path):
    file = tmp_path / "val.json"
    content = {
        "images": [{"id": 7, "file_name": "0--A\\x.jpg"}],
        "annotations": [
            {"image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4]},
            {"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]},
        ],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "Face"}],
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    found = open_any(pictures.parent, "val", "coco", file)
    assert found.images[0].boxes.tolist() == [[1, 2, 4, 6]]
    assert found.annotations.skipped[OTHER_CATEGORY] == 1
    content["categories"] = [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match="no category 'face' among car, dog"):
        open_any(pictures.parent, "val", "coco", file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": [{"id": 7, "file_name": "../x.jpg"}]}, "not a picture inside"),
        ({"annotations": [{"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}]}, "not there"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2]}]}, "not a COCO"),
        ({"categories": None}, "not a COCO annotation"),
        ({"images": [{"id": 7, "file_name": "z.jpg"}]}, "none of the pictures"),
    ],
)
def test_broken_coco_files_are_named(pictures, tmp_path, change, message):
    content = {
        "images": [{"id": 7, "file_name": "0--A/x.jpg"}],
        "annotations": [],
        "categories": [{"id": 1, "name": "face"}],
    }
    file = tmp_path / "val.json"
    file.write_text(json.dumps(content | change), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        open_any(pictures.parent, "val", "coco", file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.1\n", r"x\.txt:1: expected"),
        ("0 0.5 0.5 0.1 x\n", "expected"),
        ("0 0.5 0.5 nan 0.1\n", "expected"),
        ("\n0 30 20 10 10\n", r"x\.txt:2: .*holds pixels"),
    ],
)
def test_broken_yolo_labels_are_named(pictures, text, message):
    labels = pictures.parent / "labels" / "0--A" / "x.txt"
    labels.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        open_any(pictures.parent, "val", "yolo")
    labels.write_text("3 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.5 0.5\n", encoding="utf-8")
    found = open_any(pictures.parent, "val", "yolo")
    assert found.annotations.skipped[OTHER_CLASS] == 1
    assert found.images[0].boxes.tolist() == [[16, 12, 48, 36]]


def test_nothing_is_written_over(pictures, tmp_path):
    split = split_of(pictures, [])
    convert(split, "coco", tmp_path)
    with pytest.raises(RefusedError, match="holds pictures already"):
        convert(split, "yolo", tmp_path)
    with pytest.raises(UsageError, match="is the data set itself"):
        convert(split, "yolo", split.root)


def test_the_command_offers_the_layouts_there_are():
    assert set(command.LAYOUTS) == set(LAYOUTS)
