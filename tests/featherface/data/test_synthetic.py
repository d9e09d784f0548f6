import errno
import hashlib
import os
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from featherface.data.annotation_files import read_annotation
from featherface.data.config import SyntheticConfig
from featherface.data.images import read_image
from featherface.data.synthetic import dataset
from featherface.data.synthetic.appearance import draw_look
from featherface.data.synthetic.backgrounds import DISTRACTORS, draw_scene
from featherface.data.synthetic.composition import EVENTS, draw_picture
from featherface.data.synthetic.dataset import draw, subsets
from featherface.data.synthetic.faces import draw_portrait
from featherface.data.widerface import MARKER, open_split
from featherface.errors import HeldError, UnavailableError, UsageError
from featherface.evaluation.ground_truth import read_official

SMALL = SyntheticConfig(image_size=96, train_images=6, val_images=5, largest_face=40, crowd=4)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("set") / "synthetic"
    assert draw(root, SMALL)
    return root


def contents(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_set_opens_as_a_wider_face_layout(drawn):
    train, val = open_split(drawn, "train"), open_split(drawn, "val")
    assert (len(train.images), len(val.images)) == (6, 5)
    assert train.kind == val.kind == "synthetic"
    assert not train.annotations.skipped
    assert read_image(val.path(val.images[0])).shape == (96, 96, 3)


def test_text_label_and_ground_truth_files_hold_the_same_faces(drawn):
    text = read_annotation(drawn / "wider_face_split" / "wider_face_val_bbx_gt.txt")
    label = read_annotation(drawn / "val" / "label.txt")
    matlab = read_annotation(drawn / "ground_truth" / "wider_face_val.mat")
    for image, marked, cell in zip(text.images, label.images, matlab.images, strict=True):
        assert image.path == marked.path == cell.path
        np.testing.assert_array_equal(image.boxes, marked.boxes)
        np.testing.assert_array_equal(image.boxes, cell.boxes)
        np.testing.assert_array_equal(image.attributes, cell.attributes)


def test_the_official_evaluation_reads_its_ground_truth(drawn):
    truth = read_official(drawn / "ground_truth")
    split = open_split(drawn, "val")
    assert len(truth.images) == len(split.images)
    counts = {name: sum(len(kept) for kept in lists) for name, lists in truth.subsets.items()}
    assert counts["easy"] <= counts["medium"] <= counts["hard"] == split.annotations.faces


def test_each_subset_holds_the_one_before(drawn):
    for image in open_split(drawn, "val").images:
        faces = subsets(image)
        assert set(faces["easy"]) <= set(faces["medium"]) <= set(faces["hard"])


def test_the_same_seed_draws_the_same_bytes_and_another_one_does_not(drawn, tmp_path):
    draw(tmp_path / "again", SMALL)
    assert contents(tmp_path / "again") == contents(drawn)
    other = SyntheticConfig(
        image_size=96, train_images=6, val_images=5, largest_face=40, crowd=4, seed=1
    )
    draw(tmp_path / "other", other)
    assert contents(tmp_path / "other") != contents(drawn)


def test_it_is_redrawn_only_for_another_configuration(tmp_path):
    root = tmp_path / "set"
    small = SyntheticConfig(image_size=64, train_images=2, val_images=1, largest_face=30, crowd=2)
    assert draw(root, small)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert not draw(root, small)
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    larger = SyntheticConfig(image_size=64, train_images=3, val_images=1, largest_face=30, crowd=2)
    assert draw(root, larger)
    assert len(open_split(root, "train").images) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_crash_while_drawing_leaves_nothing_and_keeps_the_old_set(tmp_path):
    root = tmp_path / "set"

    def crash(progress):
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(root, SMALL, crash)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else"):
        draw(tmp_path, SMALL)
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    with pytest.raises(UnavailableError, match="No space left"):
        draw(tmp_path / "set", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_set_without_its_marker_is_not_taken_for_one(drawn, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(drawn, copy)
    (copy / MARKER).unlink()
    with pytest.raises(UsageError):
        draw(copy, SMALL)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(EVENTS))
def test_faces_lie_inside_the_picture_with_landmarks_inside_their_box(seed, event):
    _, image = draw_picture(np.random.default_rng(seed), SMALL, event, "e/x.jpg")
    assert 1 <= len(image.boxes) <= max(SMALL.crowd, event.people[0])
    assert (image.boxes >= 0).all()
    assert (image.boxes <= SMALL.image_size).all()
    widths = image.boxes[:, 2] - image.boxes[:, 0]
    assert (widths >= SMALL.smallest_face - 2).all()
    points = image.landmarks.reshape(-1, 5, 2)
    low, high = image.boxes[:, None, :2] - 1, image.boxes[:, None, 2:] + 1
    known = ~np.isnan(points).any(axis=(1, 2))
    assert ((points >= low) & (points <= high))[known].all()
    assert set(np.unique(image.attributes[:, [0, 4]])) <= {0, 1, 2}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_portrait_is_opaque_within_its_box_and_left_eye_is_left_unless_it_lies(seed):
    portrait = draw_portrait(draw_look(np.random.default_rng(seed)), 20)
    left, top, right, bottom = portrait.box
    middle = portrait.tile.getpixel((round((left + right) / 2), round((top + bottom) / 2)))
    assert middle[3] == 255
    assert portrait.landmarks[0, 0] < portrait.landmarks[1, 0]
    assert portrait.landmarks[:2, 1].mean() < portrait.landmarks[3:, 1].mean()


@pytest.mark.parametrize("name", sorted(DISTRACTORS))
def test_every_distractor_draws_something(name):
    picture = Image.new("RGB", (80, 80), (1, 2, 3))
    DISTRACTORS[name](ImageDraw.Draw(picture), np.random.default_rng(0), 10, 10, 40)
    assert np.unique(np.asarray(picture)).size > 3


def test_a_scene_has_the_size_asked_for():
    assert draw_scene(np.random.default_rng(0), 72).size == (72, 72)


@pytest.mark.parametrize(
    ("key", "value"),
    [("image_size", 32), ("train_images", 0), ("smallest_face", 2), ("seed", -1), ("crowd", 0)],
)
def test_configuration_faults_name_key_and_value(key, value):
    with pytest.raises(UsageError, match=rf"data\.synthetic\.{key} = {value}"):
        SyntheticConfig(**{key: value})


def test_a_set_that_is_held_once_drawn_is_kept_for_the_next_call(tmp_path, monkeypatch):
    """Drawing takes minutes; a scanner that looks through the new folder takes a moment."""
    config = SyntheticConfig(image_size=64, train_images=2, val_images=1)
    root = tmp_path / "set"
    real = os.rename

    def held(source, target):
        if os.fspath(target) == str(root):
            raise PermissionError(errno.EACCES, "used by another process")
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", held)
        with pytest.raises(HeldError, match="in use by OneDrive"):
            draw(root, config)
        assert not root.exists()
    drawings = []
    monkeypatch.setattr(dataset, "_draw_one", lambda *one: drawings.append(one))
    assert draw(root, config)
    assert drawings == []
    assert [one.name for one in tmp_path.iterdir()] == ["set"]
    assert len(open_split(root, "train").images) == 2
    assert not draw(root, config)


def test_a_set_that_can_not_be_replaced_stays(tmp_path, monkeypatch):
    before, after = (
        SyntheticConfig(image_size=64, train_images=2, val_images=1, seed=seed) for seed in (1, 2)
    )
    root = tmp_path / "set"
    draw(root, before)
    real, refused = os.rename, []

    def held(source, target):
        if os.fspath(target) == str(root) and not os.fspath(source).endswith(".old"):
            refused.append(source)
            raise PermissionError(errno.EACCES, "used by another process")
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", held)
        with pytest.raises(HeldError):
            draw(root, after)
    assert refused
    assert not draw(root, before)
    assert draw(root, after)
    assert [one.name for one in tmp_path.iterdir()] == ["set"]


def test_a_set_that_another_process_has_drawn_meanwhile_is_taken(tmp_path, monkeypatch):
    config = SyntheticConfig(image_size=64, train_images=2, val_images=1)
    root = tmp_path / "set"
    real = dataset._replace

    def late(fresh, place):
        fresh.rename(place)
        real(fresh, place)

    monkeypatch.setattr(dataset, "_replace", late)
    assert not draw(root, config)
    assert len(open_split(root, "train").images) == 2
