"""Composites hold the scenes and the pasted faces where the annotation says, split by split."""

import csv
import errno
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from featherface.data.annotation import ImageAnnotation
from featherface.data.augmentation.crops import BOX, POINTS, Crop, read_crops
from featherface.data.config import SyntheticConfig
from featherface.data.images import read_image
from featherface.data.synthetic.composed_dataset import CompositeConfig, compose_set, deal
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import DataError, HeldError, InterruptedRunError, RefusedError, UsageError

RED = (230, 20, 20)
COLUMNS = ("file", "identity", *BOX, *POINTS)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp("scenes") / "set"
    draw(root, SyntheticConfig(image_size=128, train_images=12, val_images=1, crowd=2))
    return open_split(root, "train")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Ten people, two crops each: a face is a red square with a landmark in each corner."""
    folder = tmp_path_factory.mktemp("crops")
    (folder / "images").mkdir()
    with (folder / "faces.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(20):
            picture = Image.new("RGB", (80, 80), (30, 60, 200))
            picture.paste(RED, (20, 20, 60, 60))
            picture.save(folder / "images" / f"{number}.png")
            points = [20, 20, 60, 20, 40, 40, 20, 60, 60, 60] if number % 2 else [""] * 10
            rows.writerow([f"{number}.png", f"p{number // 2}", 20, 20, 40, 40, *points])
    return folder / "faces.csv"


@pytest.fixture(scope="module")
def made(scenes, table, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "set"
    config = CompositeConfig(pictures=20, held_out=0.25, seed=3)
    return out, compose_set(scenes, read_crops(table), out, config)


def test_scenes_and_composites_are_counted_and_read_back(made):
    out, counts = made
    for name, count in counts.items():
        split = open_split(out, name)
        assert (len(split.images), split.annotations.faces) == (count.images, count.faces)
        assert not split.annotations.skipped
        kinds = [image.path.split("/")[0] for image in split.images]
        assert (kinds.count("scenes"), kinds.count("composites")) == (
            {"train": (9, 20), "val": (3, 5)}[name]
        )
        assert count.pasted > 0


def red_ones(split, image):
    """Return which faces of IMAGE (n,) are pasted: their middle is red."""
    pixels = read_image(split.path(image)).astype(int)
    x, y = ((image.boxes[:, :2] + image.boxes[:, 2:]) / 2).astype(int).T
    blue, green, red = pixels[y, x].T
    return (red > 100) & (np.maximum(blue, green) < 60)


def test_pasted_faces_and_their_landmarks_lie_where_the_annotation_says(made):
    out, counts = made
    split = open_split(out, "train")
    pasted = [image.keep(red_ones(split, image)) for image in split.images]
    assert sum(len(image.boxes) for image in pasted) == counts["train"].pasted
    boxes = np.concatenate([image.boxes for image in pasted])
    points = np.concatenate([image.landmarks for image in pasted])
    known = np.isfinite(points).all(axis=1)
    assert 0 < known.sum() < len(known)
    corners = points[known][:, [0, 1, 8, 9]]
    assert corners == pytest.approx(boxes[known], abs=1.5)


def test_pasted_faces_cover_no_other(made):
    split = open_split(made[0], "train")
    for image in split.images:
        x1, y1, x2, y2 = image.boxes.T
        apart = (x2[:, None] <= x1) | (x2 <= x1[:, None]) | (y2[:, None] <= y1)
        apart |= (y2 <= y1[:, None]) | np.eye(len(apart), dtype=bool)
        assert apart[red_ones(split, image)].all()


def test_the_same_seed_makes_the_same_set(made, scenes, table, tmp_path):
    config = CompositeConfig(pictures=20, held_out=0.25, seed=3)
    compose_set(scenes, read_crops(table), tmp_path / "again", config)
    files = sorted(path.relative_to(made[0]) for path in made[0].rglob("*") if path.is_file())
    assert files
    for file in files:
        assert (tmp_path / "again" / file).read_bytes() == (made[0] / file).read_bytes()


def crop(folder, number, person):
    box = np.array([1, 1, 9, 9], dtype=np.float32)
    return Crop(folder / f"{number}.png", person, box, np.full(10, np.nan, dtype=np.float32))


@given(
    people=st.lists(st.sampled_from(["a", "b", "c", "d", "e", ""]), min_size=1, max_size=30),
    scenes=st.integers(1, 20),
    held_out=st.floats(0, 0.5),
    seed=st.integers(0, 99),
)
def test_no_scene_and_no_person_is_in_two_splits(people, scenes, held_out, seed, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    empty = np.zeros((0, 4), np.float32)
    marks, kinds = np.zeros((0, 10), np.float32), np.zeros((0, 6), np.int64)
    pictures = [ImageAnnotation(f"{n}.jpg", empty, marks, kinds) for n in range(scenes)]
    crops = [crop(folder, number, person) for number, person in enumerate(people)]
    dealt = deal(pictures, crops, CompositeConfig(pictures=10, held_out=held_out, seed=seed))
    assert "train" in dealt
    if "val" in dealt:
        train, val = dealt["train"], dealt["val"]
        assert not {one.path for one in train.scenes} & {one.path for one in val.scenes}
        assert not {one.person for one in train.crops} & {one.person for one in val.crops} - {""}
        assert not {one.path for one in train.crops} & {one.path for one in val.crops}


def test_a_stop_leaves_nothing_and_a_full_folder_is_left_alone(scenes, table, tmp_path):
    config = CompositeConfig(pictures=5)
    with pytest.raises(InterruptedRunError, match="stopped after 1 of"):
        compose_set(scenes, read_crops(table), tmp_path / "a", config, should_stop=lambda: True)
    assert not list(tmp_path.iterdir())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.md").write_text("mine", encoding="utf-8")
    with pytest.raises(RefusedError, match="holds something"):
        compose_set(scenes, read_crops(table), tmp_path / "b", config)
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["thesis.md"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file,x,y,w\na.png,1,1,2\n", "no column 'h'"),
        ("file,x,y,w,h\n", "lists no face"),
        ("file,x,y,w,h\na.png,1,1,2,two\n", ":2: not a list of numbers"),
        ("file,x,y,w,h\na.png,1,1,2\n", ":2: not a list of numbers"),
        ("file,x,y,w,h\na.png,1,1,0,4\n", ":2: the face has no size"),
        ("file,x,y,w,h\n../a.png,1,1,2,2\n", "not a picture inside"),
        ("", "no column 'file'"),
    ],
)
def test_a_faulty_table_is_told(text, fault, tmp_path):
    (tmp_path / "faces.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=fault):
        read_crops(tmp_path / "faces.csv")


def test_a_set_that_is_held_once_made_is_kept_and_told_where(scenes, table, tmp_path, monkeypatch):
    out = tmp_path / "set"
    config, crops = CompositeConfig(pictures=2, held_out=0, seed=3), read_crops(table)
    real, refusals = os.rename, [10**6]

    def held(source, target):
        if refusals[0]:
            refusals[0] -= 1
            raise PermissionError(errno.EACCES, "used by another process")
        real(source, target)

    monkeypatch.setattr(os, "rename", held)
    with pytest.raises(HeldError, match="in use by OneDrive") as told:
        compose_set(scenes, crops, out, config)
    whole = tmp_path / ".set.tmp"
    assert str(whole) in told.value.message
    assert told.value.hint == "close it, then rename that folder to set"
    assert len(open_split(whole, "train").images) == len(scenes.images) + 2
    refusals[0] = 3
    compose_set(scenes, crops, out, config)
    assert [one.name for one in tmp_path.iterdir()] == ["set"]


def test_a_missing_table_or_picture_is_told(scenes, tmp_path):
    with pytest.raises(DataError, match="can't read the table"):
        read_crops(tmp_path / "none.csv")
    (tmp_path / "faces.csv").write_text("file,x,y,w,h\na.png,1,1,9,9\n", encoding="utf-8")
    crops = read_crops(tmp_path / "faces.csv")
    config = CompositeConfig(pictures=2, held_out=0)
    with pytest.raises(DataError, match=r"a\.png"):
        compose_set(scenes, crops, tmp_path / "out", config)
    assert not (tmp_path / "out").exists()


def test_illegal_sizes_are_refused():
    with pytest.raises(UsageError, match="held-out"):
        CompositeConfig(held_out=0.9)
