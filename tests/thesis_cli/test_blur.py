"""`thesis detect --blur`: copies in which nobody can be recognised."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from featherface.inference.blur_methods import BLUR_METHODS

TURNED = 6
"""EXIF orientation: a quarter turn to the right shows it upright."""


@pytest.fixture
def photo(small_set, tmp_path):
    """A photograph as cameras write it: turned, with its place, and a thumbnail of itself."""
    first = min((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    path = tmp_path / "pictures" / "photo.jpg"
    path.parent.mkdir()
    with Image.open(first) as picture:
        exif = picture.getexif()
        exif[0x0112] = TURNED
        exif[0x010E] = "Ann at the market"
        exif.get_ifd(0x8825)[2] = (50.0, 51.0, 9.0)
        small = picture.crop((0, 0, 96, 64))
        small.save(path, exif=exif, icc_profile=b"a profile", comment=b"Ann")
    return path


@pytest.fixture
def blur(thesis, weights):
    def call(*arguments):
        network = ("--variant", "v2", "--weights", weights)
        return thesis("detect", *network, "--score", 0, *arguments)

    return call


@pytest.mark.parametrize("method", BLUR_METHODS)
def test_a_copy_has_its_faces_covered_and_nothing_but_pixels(blur, valid, photo, tmp_path, method):
    before = photo.read_bytes()
    (row,) = valid(blur(photo, "--blur", method, "--output", tmp_path / "out", "--json"))
    assert row["faces"]
    assert row["drawing"] is None
    with Image.open(row["blurred"]) as copy:
        assert copy.size == (64, 96) == (row["width"], row["height"])
        assert not copy.getexif()
        assert not {"exif", "icc_profile", "comment"} & copy.info.keys()
    content = (tmp_path / "out" / "photo-blurred.jpg").read_bytes()
    assert b"Ann" not in content
    assert b"Exif" not in content
    assert photo.read_bytes() == before


def test_the_way_may_be_left_out_and_a_picture_taken_for_it_is_explained(blur, photo, tmp_path):
    assert blur(photo, "--output", tmp_path / "out", "--blur").code == 0
    answer = blur("--output", tmp_path / "out", "--blur", photo)
    assert answer.code == 2
    assert f"--blur pixelate {photo}" in answer.err


def test_faces_below_the_score_that_is_told_are_covered_too(blur, photo, tmp_path):
    plain = blur(
        *(photo, "--score", 0.9, "--blur-score", 0, "--json"),
        *("--blur", "--output", tmp_path / "a"),
    )
    assert plain.data[0]["faces"] == []
    with Image.open(tmp_path / "a" / "photo-blurred.jpg") as copy:
        covered = np.asarray(copy)
    assert len(np.unique(covered.reshape(-1, 3), axis=0)) < 1500  # of 6,144 pixels, after JPEG


def test_a_picture_without_a_face_is_told_and_copied_only_when_asked(blur, photo, tmp_path):
    options = ("--score", 0.999, "--blur-score", 0.99, "--blur", "--output", tmp_path / "out")
    skipped = blur(photo, *options, "--json")
    assert skipped.code == 0
    assert skipped.data[0]["blurred"] is None
    (warning,) = (text for text in skipped.json["warnings"] if "nothing was found to blur" in text)
    assert "--faceless copy" in warning
    assert not (tmp_path / "out").exists()
    copied = blur(photo, *options, "--faceless", "copy", "--json")
    assert any("shows it as it is" in text for text in copied.json["warnings"])
    with Image.open(copied.data[0]["blurred"]) as copy:
        assert copy.size == (64, 96)
        assert not copy.getexif()


@pytest.mark.parametrize("option", [("--blur",), ()])
def test_a_copy_never_takes_the_place_of_a_picture_that_is_looked_at(
    blur, photo, tmp_path, option, contents
):
    mark = "blurred" if option else "faces"
    shutil.copy(photo, photo.with_name(f"photo-{mark}.jpg"))
    before = contents(photo.parent)
    answer = blur(photo.parent, "--output", photo.parent, *option)
    assert answer.code == 2
    assert "is one of the files to look at" in answer.err
    assert contents(photo.parent) == before
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / f"photo-{mark}.jpg").hardlink_to(photo)
    assert blur(photo, "--output", linked, *option).code == 2
    assert contents(photo.parent) == before


def test_options_that_cover_nothing_are_refused(blur, photo, tmp_path):
    assert "add --output DIR" in blur(photo, "--blur").err
    assert "add --blur" in blur(photo, "--blur-score", 0.1).err
    assert "add --blur" in blur(photo, "--faceless", "copy").err
    answer = blur(photo, "--blur", "--output", tmp_path / "out", "--blur-score", 0.9)
    assert answer.code == 2
    assert "would stay visible" in answer.err
