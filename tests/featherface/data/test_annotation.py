import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.data.annotation import UNKNOWN, ZERO_SIZE
from featherface.data.annotation_files import read_annotation, read_retinaface, read_widerface
from featherface.errors import DataError

ROW = "10 20 30 40 1 0 1 0 2 0"


def write(tmp_path, text, name="wider_face_val_bbx_gt.txt"):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8"))
    return path


def test_boxes_become_corners_and_attributes_keep_their_order(tmp_path):
    annotations = read_widerface(write(tmp_path, f"0--A/x.jpg\n1\n{ROW} \n"))
    (image,) = annotations.images
    assert image.path == "0--A/x.jpg"
    assert image.boxes.tolist() == [[10, 20, 40, 60]]
    assert image.attributes.tolist() == [[1, 0, 1, 0, 2, 0]]
    assert np.isnan(image.landmarks).all()


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_change_nothing(tmp_path):
    text = f"\ufeff0--A/x.jpg\r\n1\r\n{ROW} \r\n\r\n0--A\\y.jpg\r\n1\r\n{ROW}\r\n"
    annotations = read_annotation(write(tmp_path, text))
    assert [image.path for image in annotations.images] == ["0--A/x.jpg", "0--A/y.jpg"]
    assert annotations.faces == 2


@pytest.mark.parametrize("zeros", ["", "0 0 0 0 0 0 0 0 0 0 \n"])
def test_a_picture_without_faces_may_be_followed_by_a_line_of_zeros(tmp_path, zeros):
    annotations = read_widerface(write(tmp_path, f"a/x.jpg\n0\n{zeros}a/y.jpg\n1\n{ROW}\n"))
    assert [len(image.boxes) for image in annotations.images] == [0, 1]


def test_boxes_of_zero_size_are_skipped_and_counted(tmp_path):
    rows = f"5 5 0 9 0 0 0 0 0 0\n{ROW}\n5 5 9 0 0 0 0 0 0 0\n"
    annotations = read_widerface(write(tmp_path, f"a/x.jpg\n3\n{rows}"))
    assert annotations.faces == 1
    assert annotations.skipped == {ZERO_SIZE: 2}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a/x.jpg\n1\n1 2 3\n", 3, "found 3"),
        ("a/x.jpg\n1\n1 2 3 4 5 6 7 8 9 10 11\n", 3, "found 11"),
        ("a/x.jpg\n1\n1 2 x 4 5 6 7 8 9 10\n", 3, "not a list of numbers"),
        ("a/x.jpg\n1\n1 2 nan 4 5 6 7 8 9 10\n", 3, "not finite"),
        (f"a/x.jpg\n2\n{ROW}\n", 2, "2 faces announced"),
        (f"a/x.jpg\nmany\n{ROW}\n", 2, "number of faces"),
        (f"a/x.jpg\n-1\n{ROW}\n", 2, "number of faces"),
        ("a/x.jpg\n", 1, "the file ends"),
        (f"../x.jpg\n1\n{ROW}\n", 1, "not a picture inside"),
        (f"/x.jpg\n1\n{ROW}\n", 1, "not a picture inside"),
        (f"C:\\x.jpg\n1\n{ROW}\n", 1, "not a picture inside"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path, text, line, told):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_widerface(path)
    assert f"{path}:{line}: " in caught.value.message
    assert told in caught.value.message
    assert caught.value.hint


def test_landmarks_are_read_and_absent_ones_are_not_numbers(tmp_path):
    marked = "1 2 30 40 " + " ".join(f"{i} {i + 1} 0.0" for i in range(5)) + " 0.8"
    absent = "1 2 30 40 " + "-1 -1 -1 " * 5 + "0.2"
    outside = "1 2 30 40 " + " ".join(f"{i - 1} {i + 5} 0.0" for i in range(5)) + " 0.2"
    faces = f"{marked}\n{absent}\n{outside}\n7 8 9 10\n"
    path = write(tmp_path, f"# a/x.jpg\n{faces}", "label.txt")
    (image,) = read_annotation(path).images
    assert image.landmarks[0].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert np.isnan(image.landmarks[1:]).all()
    assert (image.attributes == UNKNOWN).all()


@pytest.mark.parametrize(
    ("text", "line"), [("# a/x.jpg\n1 2 3 4 5\n", 2), ("# ../../x.jpg\n", 1), ("\n1 2 3 4\n", 2)]
)
def test_a_malformed_label_line_is_named_by_file_and_number(tmp_path, text, line):
    path = write(tmp_path, text, "label.txt")
    with pytest.raises(DataError, match=rf":{line}: "):
        read_retinaface(path)


def test_a_missing_file_a_binary_file_and_a_damaged_mat_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="no annotation file"):
        read_annotation(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        read_annotation(tmp_path / "binary.txt")
    (tmp_path / "x.mat").write_bytes(b"MATLAB 5.0" + b"\x00" * 40)
    with pytest.raises(DataError, match=r"x\.mat"):
        read_annotation(tmp_path / "x.mat")


@given(
    st.lists(
        st.lists(st.tuples(*[st.integers(0, 5000)] * 2, *[st.integers(1, 900)] * 2), max_size=5),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read(tmp_path_factory, pictures):
    lines = []
    for number, boxes in enumerate(pictures):
        lines += [f"e/{number}.jpg", str(len(boxes))]
        lines += [" ".join(map(str, box)) + " 0 0 0 0 0 0 " for box in boxes]
    path = write(tmp_path_factory.mktemp("round"), "\n".join(lines))
    annotations = read_widerface(path)
    read = [
        [(x, y, right - x, bottom - y) for x, y, right, bottom in image.boxes.tolist()]
        for image in annotations.images
    ]
    assert read == [[tuple(map(float, box)) for box in boxes] for boxes in pictures]


@given(st.binary(max_size=200))
def test_random_bytes_give_annotations_or_a_data_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "gt.txt"
    path.write_bytes(content)
    try:
        annotations = read_annotation(path)
    except DataError:
        return
    assert all(math.isfinite(value) for image in annotations.images for value in image.boxes.flat)


@pytest.mark.data
def test_the_official_text_and_mat_files_hold_the_same_faces(reference_data):
    folder = reference_data / "widerface"
    text = read_annotation(folder / "wider_face_val_bbx_gt.txt")
    matlab = read_annotation(folder / "ground_truth" / "wider_face_val.mat")
    assert len(text.images) == len(matlab.images) == 3226
    by_path = {image.path: image for image in text.images}
    for image in matlab.images:
        np.testing.assert_array_equal(by_path[image.path].boxes, image.boxes)
        np.testing.assert_array_equal(by_path[image.path].attributes, image.attributes)


@pytest.mark.data
def test_retinaface_labels_are_read_with_their_landmarks(reference_data):
    images = read_annotation(reference_data / "widerface/train2/label.sample.txt").images
    assert len(images) == 4
    np.testing.assert_allclose(images[0].landmarks[0, :2], [488.906, 373.643])
