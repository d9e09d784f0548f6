from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from featherface.data.formats.coco import open_coco
from featherface.errors import DataError, UsageError
from featherface.evaluation.predictions import read_predictions
from featherface.geometry.detections import Detections
from featherface.inference.detection_files import (
    DetectedPicture,
    check_wider_folder,
    numbered,
    numbers_of,
    wider_names,
    write_coco,
    write_coco_results,
    write_wider,
)


def some_faces(seed, count):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (count, 2))
    boxes = np.hstack([corner, corner + rng.uniform(2, 40, (count, 2))]).astype(np.float32)
    scores = np.sort(rng.uniform(0.1, 1, count).astype(np.float32))[::-1]
    return Detections(boxes, scores, rng.uniform(-20, 120, (count, 10)).astype(np.float32))


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of two events, the last without a face."""
    made = []
    for number, name in enumerate(("0--Parade/a.jpg", "0--Parade/b.png", "1--Élan/a.jpg")):
        path = tmp_path / "images" / "val" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 80)).save(path)
        made.append(DetectedPicture(path, 100, 80, some_faces(number, 2 - number)))
    return made


def test_wider_text_is_read_back_as_it_was_written(pictures, tmp_path):
    write_wider(tmp_path / "out", pictures)
    back = read_predictions(tmp_path / "out")
    assert list(back) == ["0--Parade/a", "0--Parade/b", "1--Élan/a"]
    for picture, rows in zip(pictures, back.values(), strict=True):
        assert np.array_equal(rows, picture.detections.rows())
    assert back.warnings == ()


def test_two_pictures_of_one_event_and_name_are_refused(pictures, tmp_path):
    other = tmp_path / "other" / "0--Parade" / "a.jpg"
    with pytest.raises(UsageError, match="two pictures are called 0--Parade/a"):
        wider_names([pictures[0].path, other])


def test_a_folder_with_predictions_of_other_pictures_is_refused(pictures, tmp_path):
    names = wider_names([picture.path for picture in pictures])
    write_wider(tmp_path / "out", pictures)
    check_wider_folder(tmp_path / "out", names)  # the same again is welcome
    del names[pictures[1].path]
    with pytest.raises(UsageError, match=r"0--Parade/b\.txt"):
        check_wider_folder(tmp_path / "out", names)


def test_coco_holds_pictures_without_a_face_and_every_number_of_the_others(pictures, tmp_path):
    file = tmp_path / "faces.json"
    write_coco(file, pictures, numbered([picture.path for picture in pictures]))
    content = json.loads(file.read_text(encoding="utf-8"))
    assert [image["file_name"] for image in content["images"]] == [
        "0--Parade/a.jpg",
        "0--Parade/b.png",
        "1--Élan/a.jpg",
    ]
    (category,) = content["categories"]
    assert (category["name"], len(category["keypoints"])) == ("face", 5)
    assert [face["id"] for face in content["annotations"]] == [1, 2, 3]
    for face, (picture, row) in zip(content["annotations"], [(0, 0), (0, 1), (1, 0)], strict=True):
        found = pictures[picture].detections
        assert face["image_id"] == picture + 1
        left, top, width, height = face["bbox"]
        assert np.allclose((left, top, left + width, top + height), found.boxes[row])
        assert face["score"] == found.scores[row]
        triples = np.reshape(face["keypoints"], (5, 3))
        assert np.array_equal(triples[:, :2], found.landmarks[row].reshape(5, 2))
        x, y = triples[:, 0], triples[:, 1]
        inside = (x >= 0) & (x < 100) & (y >= 0) & (y < 80)
        assert np.array_equal(triples[:, 2], np.where(inside, 2, 1))


def test_coco_is_read_back_as_a_data_set(pictures, tmp_path):
    file = tmp_path / "annotations" / "instances_val.json"
    write_coco(file, pictures, numbered([picture.path for picture in pictures]))
    split = open_coco(tmp_path, "val")
    for image, picture in zip(split.images, pictures, strict=True):
        assert np.allclose(image.boxes, picture.detections.boxes)
        assert np.allclose(image.landmarks, picture.detections.landmarks)


def annotation(tmp_path, *names, category="face"):
    file = tmp_path / "truth.json"
    content = {
        "images": [{"id": 70 + n, "file_name": name} for n, name in enumerate(names)],
        "categories": [{"id": 9, "name": category}],
        "annotations": [],
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_results_carry_the_numbers_of_the_annotation_that_judges_them(pictures, tmp_path):
    truth = annotation(tmp_path, "b.png", "0--Parade/a.jpg", "1--Élan/a.jpg", "more.jpg")
    known = numbers_of(truth, [picture.path for picture in pictures])
    write_coco_results(tmp_path / "results.json", pictures, known)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [face["image_id"] for face in results] == [71, 71, 70]
    assert {face["category_id"] for face in results} == {9}


def test_a_picture_that_the_annotation_does_not_know_is_named(pictures, tmp_path):
    paths = [picture.path for picture in pictures]
    with pytest.raises(UsageError, match=r"knows no picture b\.png"):
        numbers_of(annotation(tmp_path, "a.jpg"), paths)
    with pytest.raises(UsageError, match="names a picture twice"):
        numbers_of(annotation(tmp_path, "a.jpg", "a.jpg"), paths)
    (tmp_path / "list.json").write_text('{"images": [{}]}', encoding="utf-8")
    with pytest.raises(DataError, match="not a COCO annotation"):
        numbers_of(tmp_path / "list.json", paths)


def test_pycocotools_reads_both_files(pictures, tmp_path, capsys):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    known = numbered([picture.path for picture in pictures])
    write_coco(tmp_path / "faces.json", pictures, known)
    write_coco_results(tmp_path / "results.json", pictures, known)
    truth = coco.COCO(str(tmp_path / "faces.json"))
    loaded = truth.loadRes(str(tmp_path / "results.json"))
    assert sorted(truth.getImgIds()) == [1, 2, 3]
    assert len(loaded.getAnnIds()) == 3
    capsys.readouterr()
