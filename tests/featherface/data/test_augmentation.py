from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from featherface.data.augmentation.policy import POLICY
from featherface.data.augmentation.transforms import (
    AUGMENTATIONS,
    OPERATIONS,
    auto,
    crop,
    distort,
    mirror,
    pad,
)
from featherface.data.sample import Sample, forget_outside, grown, resize, touching
from featherface.training.config import train

MARK = (0, 255, 0)


def marked(size, boxes):
    """Return a dark picture whose faces are bright rectangles with their five points on them."""
    picture, points = Image.new("RGB", size), []
    for left, top, right, bottom in boxes:
        picture.paste(MARK, (left, top, right, bottom))
        x, y = (left + right) / 2, (top + bottom) / 2
        points.append((x - 2, y - 2, x + 2, y - 2, x, y, x - 2, y + 2, x + 2, y + 2))
    return Sample(
        picture,
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        np.array(points, dtype=np.float32).reshape(-1, 10),
    )


@st.composite
def samples(draw):
    """A picture of `marked` faces."""
    width, height = draw(st.integers(40, 120)), draw(st.integers(40, 120))
    boxes = []
    for _ in range(draw(st.integers(0, 3))):
        left, top = draw(st.integers(0, width - 12)), draw(st.integers(0, height - 12))
        right = draw(st.integers(left + 8, min(width, left + 40)))
        bottom = draw(st.integers(top + 8, min(height, top + 40)))
        boxes.append((left, top, right, bottom))
    return marked((width, height), boxes)


@st.composite
def mixable(draw):
    """A sample that others can be mixed into."""
    other = draw(samples())
    return replace(draw(samples()), partner=lambda _: other)


def rng(seed):
    return np.random.default_rng(seed)


def centres_bright(sample):
    """Tell whether every face's centre still lies on its rectangle."""
    pixels = np.asarray(sample.picture)
    for left, top, right, bottom in sample.boxes:
        red, green, blue = pixels[int((top + bottom) / 2), int((left + right) / 2)].tolist()
        if not green > max(red, blue):
            return False
    return True


def test_the_recipe_knows_every_entry_in_its_order():
    assert tuple(AUGMENTATIONS) == train.AUGMENTATIONS


def landmarks_bright(sample):
    """Tell whether every known landmark lies on a face."""
    pixels = np.asarray(sample.picture)
    points = sample.landmarks.reshape(-1, 2)
    known = points[~np.isnan(points).any(axis=1)].astype(int)
    red, green, blue = pixels[known[:, 1], known[:, 0]].astype(int).T
    return bool((green > np.maximum(red, blue) + 40).all())


LONG = marked((102, 74), [(0, 24, 8, 64), (0, 4, 8, 25)])
"""Of its first face, mosaic with seed 23 puts the mouth on a seam."""
AT_A_SEAM = replace(marked((88, 40), []), partner=lambda _: LONG)
WHOLE = {name: AUGMENTATIONS[name] for name in ("crop", "zoom-crop", "pad", "mirror")} | OPERATIONS
"""What leaves faces recognisable, without the chance of doing nothing."""


@settings(deadline=None)
@given(mixable(), st.integers(0, 1000), st.sampled_from(sorted(WHOLE)))
@example(AT_A_SEAM, 23, "mosaic")
def test_boxes_and_landmarks_stay_on_the_faces(sample, seed, name):
    changed = WHOLE[name](sample, rng(seed))
    if name != "distort":
        assert centres_bright(changed)
    if name not in {"distort", "crop", "zoom-crop"}:  # crops cut faces, as the official ones do
        assert landmarks_bright(changed)
    width, height = changed.size
    assert (changed.boxes >= 0).all()
    assert (changed.boxes <= [width, height, width, height]).all()
    assert (changed.boxes[:, 2:] > changed.boxes[:, :2]).all()
    assert len(changed.landmarks) == len(changed.boxes)


def test_a_landmark_on_a_seam_is_forgotten():
    seen = OPERATIONS["mosaic"](AT_A_SEAM, rng(23))
    known = seen.landmarks[~np.isnan(seen.landmarks).any(axis=1)]
    assert len(seen.boxes) == 2
    np.testing.assert_allclose(known, [[1, 4.25, 3, 4.25, 2, 5.25, 1, 6.25, 3, 6.25]])


@pytest.mark.parametrize(("far", "known"), [(39.5, True), (40.0, False), (41.0, False)])
def test_landmarks_at_the_last_pixel_are_known_and_at_the_edge_are_not(far, known):
    points = np.full((1, 10), 5.0, "f4")
    points[0, 4] = far
    sample = Sample(Image.new("RGB", (40, 30)), np.array([[0, 0, 40, 30]], "f4"), points)
    assert np.isnan(forget_outside(sample).landmarks).any() != known


@settings(deadline=None, max_examples=25)
@given(samples(), st.integers(0, 1000))
def test_the_same_random_numbers_give_the_same_sample(sample, seed):
    sample = replace(sample, partner=lambda _: sample)
    for augment in (*AUGMENTATIONS.values(), *OPERATIONS.values()):
        first, second = augment(sample, rng(seed)), augment(sample, rng(seed))
        assert first.picture.tobytes() == second.picture.tobytes()
        np.testing.assert_array_equal(first.boxes, second.boxes)
        np.testing.assert_array_equal(first.landmarks, second.landmarks)


@settings(deadline=None)
@given(samples(), st.integers(0, 1000))
def test_a_crop_is_a_square_of_a_configured_side_with_a_face_in_it(sample, seed):
    changed = crop(sample, rng(seed))
    if changed is sample:
        return
    width, height = changed.size
    short = min(sample.size)
    assert width == height
    assert width in {int(scale * short) for scale in sample.crop_scales}
    sizes, before = (each.boxes[:, 2:] - each.boxes[:, :2] for each in (changed, sample))
    # At least one face is whole: cut off at no side, it is as large as it was.
    assert np.isclose(sizes[:, None], before[None], atol=1e-3).all(axis=2).any()


def test_unknown_landmarks_stay_unknown():
    picture = Image.new("RGB", (40, 30))
    sample = Sample(picture, np.array([[5, 5, 20, 20]], "f4"), np.full((1, 10), np.nan, "f4"))
    sample = replace(sample, partner=lambda _: sample)
    for augment in (*AUGMENTATIONS.values(), *OPERATIONS.values(), lambda s, _: resize(s, 32)):
        assert np.isnan(augment(sample, rng(1)).landmarks).all()


@settings(deadline=None)
@given(samples())
def test_mirroring_keeps_the_left_eye_left_and_undoes_itself(sample):
    seed = next(seed for seed in range(50) if rng(seed).random() >= 0.5)
    once = mirror(sample, rng(seed))
    assert (once.landmarks[:, 0] < once.landmarks[:, 2]).all()
    assert (once.landmarks[:, 6] < once.landmarks[:, 8]).all()
    twice = mirror(once, rng(seed))
    np.testing.assert_allclose(twice.boxes, sample.boxes)
    np.testing.assert_allclose(twice.landmarks, sample.landmarks)
    assert twice.picture.tobytes() == sample.picture.tobytes()


@settings(deadline=None)
@given(samples(), st.integers(0, 1000))
def test_colours_change_and_nothing_else(sample, seed):
    changed = distort(sample, rng(seed))
    assert changed.size == sample.size
    assert changed.boxes is sample.boxes
    assert changed.picture.mode == "RGB"


@settings(deadline=None)
@given(samples())
def test_padding_makes_a_square_and_moves_nothing(sample):
    changed = pad(sample, rng(0))
    assert changed.size == (max(sample.size),) * 2
    np.testing.assert_array_equal(changed.boxes, sample.boxes)


@settings(deadline=None)
@given(samples(), st.sampled_from([64, 96]))
def test_resizing_scales_faces_with_the_picture(sample, size):
    changed = resize(pad(sample, rng(0)), size, rng(3))
    assert changed.size == (size, size)
    np.testing.assert_allclose(changed.boxes, sample.boxes * size / max(sample.size), rtol=1e-5)


@pytest.mark.parametrize("faces", [0, 1])
def test_a_picture_where_no_crop_fits_stays_whole(faces):
    boxes = np.array([[-5, -5, 60, 60]], "f4")[:faces]
    sample = Sample(Image.new("RGB", (40, 40)), boxes, np.full((faces, 10), np.nan, "f4"))
    assert crop(sample, rng(0)) is sample


@settings(deadline=None)
@given(mixable(), st.integers(0, 1000), st.sampled_from(["mosaic", "mixup", "cutmix", "compose"]))
def test_no_face_shows_without_its_box(sample, seed, name):
    changed = OPERATIONS[name](sample, rng(seed))
    rest = np.asarray(changed.picture).copy()
    for left, top, right, bottom in changed.boxes:  # edges are smeared by resizing
        rest[max(0, int(top) - 3) : int(bottom) + 4, max(0, int(left) - 3) : int(right) + 4] = 0
    red, green, blue = rest.reshape(-1, 3).astype(int).T
    assert (green - np.maximum(red, blue)).max() < 60


def test_a_face_that_a_piece_covers_is_gone_and_any_other_stays():
    other = marked((128, 128), [(32, 32, 96, 96)])
    face = np.array([[60, 60, 64, 64]], dtype="f4")
    points = np.full((1, 10), np.nan, dtype="f4")
    sample = Sample(Image.new("RGB", (128, 128), "white"), face, points, partner=lambda _: other)
    covered = set()
    for seed in range(40):
        changed = OPERATIONS["cutmix"](sample, rng(seed))
        gone = changed.picture.getpixel((62, 62)) != (255, 255, 255)
        assert (face[0].tolist() in changed.boxes.tolist()) is not gone
        covered.add(gone)
    assert covered == {False, True}


@settings(deadline=None)
@given(samples(), st.integers(0, 1000))
def test_erasing_spares_every_face(sample, seed):
    changed = OPERATIONS["erase"](sample, rng(seed))
    before, after = np.asarray(sample.picture), np.asarray(changed.picture)
    assert changed.boxes is sample.boxes
    for left, top, right, bottom in sample.boxes.astype(int):
        face = np.s_[top:bottom, left:right]
        np.testing.assert_array_equal(before[face], after[face])


def test_erasing_erases():
    sample = Sample(Image.new("RGB", (90, 60)), np.zeros((0, 4), "f4"), np.zeros((0, 10), "f4"))
    changed = [OPERATIONS["erase"](sample, rng(seed)).picture.tobytes() for seed in range(5)]
    assert all(pixels != sample.picture.tobytes() for pixels in changed)


@settings(deadline=None)
@given(mixable(), st.integers(0, 1000))
def test_what_is_added_touches_no_face_that_was_there(sample, seed):
    for name in ("mixup", "compose"):
        changed = OPERATIONS[name](sample, rng(seed))
        old, new = np.split(changed.boxes, [len(sample.boxes)])
        np.testing.assert_array_equal(old, sample.boxes)
        assert not touching(old, new).any()


@settings(deadline=None)
@given(mixable(), st.integers(0, 1000))
def test_a_zoomed_crop_may_reach_beyond_the_picture(sample, seed):
    sample = replace(sample, zoom_scales=(2.0,), boxes=sample.boxes, picture=sample.picture)
    changed = AUGMENTATIONS["zoom-crop"](sample, rng(seed))
    if changed is not sample:
        side = 2 * min(sample.size)
        assert changed.size == (side, side)
        assert len(changed.boxes) >= 1


@pytest.mark.parametrize("name", ["mosaic", "mixup", "cutmix", "compose"])
def test_alone_nothing_can_be_mixed(name):
    sample = Sample(Image.new("RGB", (40, 40)), np.zeros((0, 4), "f4"), np.zeros((0, 10), "f4"))
    assert OPERATIONS[name](sample, rng(0)) is sample
    empty = replace(sample, partner=lambda _: sample)
    assert len(OPERATIONS[name](empty, rng(0)).boxes) == 0


def test_policies_name_operations_and_chances():
    steps = [step for policy in POLICY for step in policy]
    assert {name for name, _ in steps} <= set(OPERATIONS)
    assert all(0 < chance <= 1 for _, chance in steps)
    assert {"mosaic", "mixup", "cutmix", "compose", "erase"} <= {name for name, _ in steps}


def test_each_policy_is_drawn():
    picture = Image.new("RGB", (64, 64), (90, 80, 70))
    sample = Sample(picture, np.array([[8, 8, 30, 30]], "f4"), np.full((1, 10), np.nan, "f4"))
    sample = replace(sample, partner=lambda _: sample)
    results = [auto(sample, rng(seed)) for seed in range(60)]
    assert sum(result is sample for result in results) < 30
    assert {len(result.boxes) for result in results} >= {1, 2}


@settings(deadline=None)
@given(samples())
def test_growing_and_touching(sample):
    around = grown(sample.boxes, 0.1)
    assert (around[:, :2] < sample.boxes[:, :2]).all()
    assert touching(around, sample.boxes).diagonal().all()
    far = sample.boxes + 1000
    assert not touching(around, far).any()
