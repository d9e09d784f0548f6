from __future__ import annotations

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from featherface.data.annotation import Annotations, ImageAnnotation
from featherface.errors import DataError
from featherface.evaluation.ground_truth import (
    LISTS,
    SUBSETS,
    from_annotations,
    read_ground_truth,
    read_official,
)

PICTURES = {
    "0--Parade": {"a": [[1, 2, 30, 60], [5, 6, 7, 8]], "b": [[1, 1, 9, 9]]},
    "1--Handshaking": {"c": []},
}
KEPT = {"easy": [[1], [], []], "medium": [[1], [], []], "hard": [[1, 2], [1], []]}


def cell(values):
    """A column of cells, as MATLAB has it."""
    column = np.empty((len(values), 1), dtype=object)
    for row, value in enumerate(values):
        column[row, 0] = value
    return column


def write_lists(folder, kept=KEPT, pictures=PICTURES):
    folder.mkdir(parents=True, exist_ok=True)
    faces = {
        "event_list": cell(list(pictures)),
        "file_list": cell([cell(list(event)) for event in pictures.values()]),
        "face_bbx_list": cell(
            [
                cell([np.array(boxes, dtype=float).reshape(-1, 4) for boxes in event.values()])
                for event in pictures.values()
            ]
        ),
    }
    savemat(folder / LISTS[0], faces)
    for subset, rows in kept.items():
        left = iter(rows)
        lists = cell(
            [
                cell([np.array(next(left), dtype=np.uint8).reshape(-1, 1) for _ in event])
                for event in pictures.values()
            ]
        )
        savemat(folder / f"wider_{subset}_val.mat", {"gt_list": lists})
    return folder


def test_official_lists(tmp_path):
    truth = read_official(write_lists(tmp_path))
    assert truth.images == ("0--Parade/a", "0--Parade/b", "1--Handshaking/c")
    assert [boxes.shape for boxes in truth.boxes] == [(2, 4), (1, 4), (0, 4)]
    assert truth.boxes[0].tolist() == [[1, 2, 30, 60], [5, 6, 7, 8]]
    assert [rows.tolist() for rows in truth.subsets["hard"]] == [[0, 1], [0], []]
    assert {subset: truth.faces(subset) for subset in SUBSETS} == {
        "easy": 1,
        "medium": 1,
        "hard": 3,
    }
    assert (truth.complete, truth.source, truth.warnings) == (True, "official lists", ())


@pytest.mark.parametrize("below", ["", "ground_truth", "eval_tools/ground_truth", "deep/down/here"])
def test_lists_are_found_below_the_folder(tmp_path, below):
    write_lists(tmp_path / below)
    assert read_ground_truth(tmp_path).source == "official lists"


@pytest.mark.parametrize("name", LISTS)
def test_a_missing_list_is_named(tmp_path, name):
    (write_lists(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=f"lacks {name}"):
        read_official(tmp_path)


def test_a_damaged_list_is_named(tmp_path):
    file = write_lists(tmp_path) / "wider_hard_val.mat"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match=r"wider_hard_val\.mat"):
        read_ground_truth(tmp_path)


def test_a_list_of_other_content_is_named(tmp_path):
    savemat(write_lists(tmp_path) / "wider_easy_val.mat", {"something": np.ones(3)})
    with pytest.raises(DataError, match=r"wider_easy_val\.mat holds no 'gt_list'"):
        read_ground_truth(tmp_path)


def test_a_list_of_another_set_is_refused(tmp_path):
    write_lists(tmp_path, kept={**KEPT, "hard": [[1, 2], [1], [], []][:3]})
    assert len(loadmat(tmp_path / "wider_hard_val.mat")["gt_list"]) == 2
    savemat(tmp_path / "wider_hard_val.mat", {"gt_list": cell([cell([np.ones((1, 1))])])})
    with pytest.raises(DataError, match="lists 1 pictures"):
        read_ground_truth(tmp_path)


def test_a_face_that_is_not_there_is_refused(tmp_path):
    write_lists(tmp_path, kept={**KEPT, "easy": [[3], [], []]})
    with pytest.raises(DataError, match="asks for a face"):
        read_ground_truth(tmp_path)


def test_restricting_keeps_order_and_says_what_is_strange(tmp_path):
    truth = read_official(write_lists(tmp_path))
    part = truth.restrict(["1--Handshaking/c.jpg", "0--Parade/a", "0--Parade/z"])
    assert part.images == ("0--Parade/a", "1--Handshaking/c")
    assert (part.complete, part.whole, part.faces("hard")) == (False, 3, 2)
    assert part.warnings == ("pictures that are not in the ground truth: 1 (0--Parade/z)",)


def test_restricting_to_all_stays_complete(tmp_path):
    truth = read_official(write_lists(tmp_path))
    assert truth.restrict(truth.images).complete


def test_restricting_to_strangers_is_refused(tmp_path):
    with pytest.raises(DataError, match="none of the 1 pictures"):
        read_official(write_lists(tmp_path)).restrict(["0--Parade/z"])


def test_without_lists_heights_decide_and_it_is_said(tmp_path):
    faces = [(51, 0), (50, 0), (30, 0), (10, 0), (90, 1)]  # height, invalid
    lines = ["0--Parade/a.jpg", str(len(faces))]
    lines += [f"10 10 20 {height} 0 0 0 {bad} 0 0" for height, bad in faces]
    (tmp_path / "wider_face_val_bbx_gt.txt").write_text("\n".join(lines), encoding="utf-8")
    truth = read_ground_truth(tmp_path)
    assert [truth.subsets[key][0].tolist() for key in SUBSETS] == [[0], [0, 1], [0, 1, 2]]
    assert truth.boxes[0][0].tolist() == [10, 10, 20, 51]
    assert truth.source == "built from annotation"
    assert "official lists are missing" in truth.warnings[0]


def test_pictures_without_faces_are_kept():
    empty = ImageAnnotation(
        "e/a.jpg",
        np.empty((0, 4), np.float32),
        np.empty((0, 10), np.float32),
        np.empty((0, 6), int),
    )
    truth = from_annotations(Annotations((empty,)).images)
    assert (truth.images, truth.faces("hard")) == (("e/a",), 0)


@pytest.mark.parametrize("there", [False, True])
def test_a_wrong_folder_is_told(tmp_path, there):
    folder = tmp_path / "nothing"
    if there:
        folder.mkdir()
    with pytest.raises(DataError, match="nothing") as caught:
        read_ground_truth(folder)
    assert "eval_tools" in caught.value.hint


@pytest.mark.data
def test_the_official_validation_set(reference_data):
    truth = read_ground_truth(reference_data / "widerface" / "ground_truth")
    assert (len(truth.images), truth.complete) == (3226, True)
    assert [truth.faces(subset) for subset in SUBSETS] == [7211, 13319, 31958]


@pytest.mark.data
def test_the_built_subsets_are_near_the_official_ones(reference_data):
    official = read_ground_truth(reference_data / "widerface" / "ground_truth")
    built = read_ground_truth(reference_data / "widerface" / "wider_face_val_bbx_gt.txt")
    assert sorted(built.images) == sorted(official.images)
    for subset in SUBSETS:
        assert built.faces(subset) == pytest.approx(official.faces(subset), rel=0.03)
