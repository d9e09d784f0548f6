import numpy as np
import pytest
from PIL import Image

from featherface.data.annotation import MISSING, OUTSIDE, ZERO_SIZE
from featherface.data.fingerprint import fingerprint
from featherface.data.statistics import statistics
from featherface.data.widerface import open_split
from featherface.errors import DataError, UsageError

GROUND_TRUTH = "0--A/x.jpg\n2\n1 2 30 20 0 0 0 0 0 0 \n5 5 9 9 2 0 0 0 1 0 \n"
LABELS = "# 0--A/x.jpg\n1 2 30 20 " + "3 4 0 " * 5 + "0.9\n"


def picture(folder, name="0--A/x.jpg", size=(64, 48)):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize(
    "images", ["WIDER_val/images", "WIDER_val/WIDER_val/images", "val/images", "images"]
)
@pytest.mark.parametrize(
    "annotation",
    ["wider_face_split/wider_face_val_bbx_gt.txt", "wider_face_val_bbx_gt.txt", "val/label.txt"],
)
def test_every_usual_layout_is_found(tmp_path, images, annotation):
    picture(tmp_path / images)
    text(tmp_path / annotation, LABELS if "label" in annotation else GROUND_TRUTH)
    split = open_split(tmp_path, "val")
    assert split.kind == "widerface"
    assert split.path(split.images[0]).is_file()
    assert split.annotation_file == tmp_path / annotation


def test_training_prefers_the_annotation_with_landmarks(tmp_path):
    for name in ("train", "val"):
        picture(tmp_path / f"WIDER_{name}" / "images")
        text(tmp_path / name / "label.txt", LABELS)
        text(tmp_path / "wider_face_split" / f"wider_face_{name}_bbx_gt.txt", GROUND_TRUTH)
    assert open_split(tmp_path, "train").annotation_file.name == "label.txt"
    assert open_split(tmp_path, "val").annotation_file.suffix == ".txt"
    assert open_split(tmp_path, "val").annotations.faces == 2


def test_attributes_come_from_the_official_file_where_the_boxes_are_the_same(tmp_path):
    picture(tmp_path / "images")
    text(tmp_path / "train" / "label.txt", LABELS)
    text(tmp_path / "wider_face_train_bbx_gt.txt", "0--A/x.jpg\n1\n1 2 30 20 2 0 1 0 1 0\n")
    image = open_split(tmp_path, "train").images[0]
    assert image.attributes.tolist() == [[2, 0, 1, 0, 1, 0]]
    assert not np.isnan(image.landmarks).any()
    text(tmp_path / "wider_face_train_bbx_gt.txt", GROUND_TRUTH)
    assert (open_split(tmp_path, "train").images[0].attributes == -1).all()


def test_an_annotation_of_ones_own_makes_a_custom_split(tmp_path):
    picture(tmp_path / "images")
    text(tmp_path / "mine.txt", GROUND_TRUTH)
    split = open_split(tmp_path, "val", annotation=tmp_path / "mine.txt")
    assert split.kind == "custom"


def test_a_missing_folder_says_what_to_place_where(tmp_path):
    with pytest.raises(DataError, match="no images of split 'train'") as caught:
        open_split(tmp_path / "none", "train")
    assert caught.value.hint is not None
    for told in ("WIDER_train.zip", "wider_face_train_bbx_gt.txt", str(tmp_path / "none")):
        assert told in caught.value.hint
    picture(tmp_path / "WIDER_train" / "images")
    with pytest.raises(DataError, match="no annotation of split 'train'"):
        open_split(tmp_path, "train")


def test_an_annotation_of_other_pictures_is_refused(tmp_path):
    picture(tmp_path / "images", "other.jpg")
    text(tmp_path / "wider_face_val_bbx_gt.txt", GROUND_TRUTH)
    with pytest.raises(DataError, match="holds none of the pictures"):
        open_split(tmp_path, "val")


def test_a_split_name_cannot_leave_the_folder(tmp_path):
    with pytest.raises(UsageError, match="plain name"):
        open_split(tmp_path, "../val")


def test_boxes_outside_and_pictures_missing_are_skipped_and_counted(tmp_path):
    picture(tmp_path / "images")
    rows = (
        "70 5 9 9 0 0 0 0 0 0\n-20 5 9 9 0 0 0 0 0 0\n60 40 20 20 0 0 0 0 0 0\n1 1 0 4 0 0 0 0 0 0"
    )
    content = f"0--A/x.jpg\n4\n{rows}\n0--A/gone.jpg\n1\n1 1 5 5 0 0 0 0 0 0\n"
    text(tmp_path / "wider_face_val_bbx_gt.txt", content)
    split = open_split(tmp_path, "val")
    assert split.annotations.skipped == {OUTSIDE: 2, MISSING: 1, ZERO_SIZE: 1}
    assert split.annotations.faces == 1


def test_a_split_can_be_limited(tmp_path):
    picture(tmp_path / "images")
    picture(tmp_path / "images", "0--A/y.jpg")
    content = GROUND_TRUTH + GROUND_TRUTH.replace("x.jpg", "y.jpg")
    text(tmp_path / "wider_face_val_bbx_gt.txt", content)
    split = open_split(tmp_path, "val")
    assert len(split.images) == 2
    assert len(split.limit(1).images) == 1
    assert split.limit(None) is split


def test_the_fingerprint_follows_pictures_and_annotation(tmp_path):
    picture(tmp_path / "images")
    annotation = tmp_path / "wider_face_val_bbx_gt.txt"
    text(annotation, GROUND_TRUTH)
    first = fingerprint(open_split(tmp_path, "val"))
    assert first["images"] == 1
    assert first["faces"] == 2
    text(annotation, GROUND_TRUTH + "\n")
    second = fingerprint(open_split(tmp_path, "val"))
    assert second["annotation_sha256"] != first["annotation_sha256"]
    assert second["files_sha256"] == first["files_sha256"]
    picture(tmp_path / "images", size=(64, 64))
    third = fingerprint(open_split(tmp_path, "val"))
    assert third["files_sha256"] != first["files_sha256"]


def test_statistics_count_faces_by_height_and_attribute(tmp_path):
    picture(tmp_path / "images")
    text(tmp_path / "wider_face_val_bbx_gt.txt", GROUND_TRUTH)
    found = statistics(open_split(tmp_path, "val"))
    assert found["faces"] == 2
    assert found["height_px"]["0+"] == 1
    assert found["height_px"]["20+"] == 1
    assert found["attributes"]["blur"] == {"0": 1, "2": 1}
    assert found["faces_with_landmarks"] == 0


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "pictures", "faces"), [("val34", 34, 793), ("stretched416", 197, 4256)]
)
def test_real_folders_open_as_they_are(reference_data, folder, pictures, faces):
    split = open_split(reference_data / "widerface" / folder, "val")
    assert len(split.images) == pictures
    assert split.annotations.faces == faces
    assert split.annotations.skipped.get(ZERO_SIZE, 0) == (3 if folder == "stretched416" else 0)
