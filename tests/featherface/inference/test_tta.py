"""Scaled and mirrored views, and what they saw put together again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featherface.evaluation.config import PROTOCOLS, EvaluateConfig
from featherface.geometry.detections import Detections
from featherface.geometry.suppression import group, suppress
from featherface.inference.detect import detect, detect_together
from featherface.inference.tta import View, merge, views, vote
from featherface.networks.detector import build
from featherface.variants.table import variant

CONFIG = variant("retinaface-mnet025")


@pytest.fixture(scope="module")
def model():
    return build(CONFIG, seed=0)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)


def test_a_picture_is_seen_at_the_sizes_of_its_protocol():
    sizes = {
        name: [one.size for one in views(EvaluateConfig(protocol=name), 1024, 768)]
        for name in PROTOCOLS
    }
    assert sizes == {
        "original": [(768, 1024)],
        "vga": [(480, 640)],
        "multiscale": [(500, 667), (800, 1067), (1100, 1467), (1400, 1867), (1700, 2267)],
    }


def test_a_long_picture_is_bounded_by_its_longer_side():
    longest = [max(one.size) for one in views(EvaluateConfig(protocol="multiscale"), 2000, 500)]
    assert longest == [750, 1200, 1650, 2100, 2550]


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1)])
def test_nothing_shrinks_to_nothing(size):
    assert min(views(EvaluateConfig(protocol="vga"), *size)[0].size) == 1


def test_flip_adds_a_mirrored_look_at_every_size():
    seen = views(EvaluateConfig(protocol="multiscale", flip=True), 640, 480)
    assert [one.mirrored for one in seen] == [False, True] * 5


def test_what_a_look_saw_is_brought_back():
    view = View(200, 100, 0.5, mirrored=True)
    eyes = [10, 5, 20, 5, 15, 10, 11, 15, 19, 15]
    seen = Detections(
        np.array([[5, 2, 25, 20]], np.float32), np.ones(1, np.float32), np.array([eyes], np.float32)
    )
    found = view.undo(seen)
    assert found.boxes.tolist() == [[150, 4, 190, 40]]
    # The left eye of the mirrored picture is the right one of the picture.
    assert found.landmarks.tolist() == [[160, 10, 180, 10, 170, 20, 162, 30, 178, 30]]


def test_each_side_is_brought_back_by_its_own_rounded_scale():
    view = View(201, 101, 0.5)
    assert view.size == (50, 100)
    whole = np.array([[0, 0, 100, 50]], np.float32)
    found = view.undo(Detections(whole, np.ones(1, np.float32), np.full((1, 10), 50, np.float32)))
    assert found.boxes.tolist() == [[0, 0, 201, 101]]
    assert found.landmarks.tolist() == [[100.5, 101] * 5]


def test_a_look_shows_what_it_says():
    pixels = torch.arange(24.0).reshape(1, 1, 4, 6)
    assert torch.equal(View(6, 4, mirrored=True).apply(pixels), pixels.flip(-1))
    assert torch.equal(View(6, 4).apply(pixels), pixels)
    half = View(6, 4, 0.5).apply(pixels)
    assert half[0, 0].tolist() == [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]


def test_a_mirrored_picture_has_mirrored_faces(model):
    every = EvaluateConfig(flip=True, score_threshold=0.005, nms_threshold=1.0)
    image = picture(64, 96)
    one = detect(model, CONFIG, image, every)
    other = View(96, 64, mirrored=True).undo(
        detect(model, CONFIG, np.ascontiguousarray(image[:, ::-1]), every)
    )
    tables = [np.column_stack([f.scores, f.boxes, f.landmarks]) for f in (one, other)]
    assert len(tables[0]) > 0
    np.testing.assert_allclose(*(np.sort(table, axis=0) for table in tables), atol=2e-3)


def test_several_looks_of_a_batch_are_those_of_single_pictures(model):
    evaluate = EvaluateConfig(protocol="vga", flip=True, max_detections=10, score_threshold=0.005)
    images = [picture(6, 64, seed) for seed in range(2)]
    for image, found in zip(images, detect_together(model, CONFIG, images, evaluate), strict=True):
        alone = detect(model, CONFIG, image, evaluate)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)


corner = st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2)
drawn = st.lists(st.tuples(corner, st.sampled_from([0.0, 0.2, 0.5, 0.9])), max_size=15)


def detections(rows):
    boxes = np.array([(x, y, x + w, y + h) for (x, y, w, h), _ in rows], np.float32)
    landmarks = np.repeat(np.arange(len(rows), dtype=np.float32)[:, None], 10, axis=1)
    scores = np.array([score for _, score in rows], np.float32)
    return Detections(boxes.reshape(-1, 4), scores, landmarks)


def plain_vote(rows, threshold):
    """Take the best box and all it overlaps, average them, and go on with the rest."""
    found = detections(rows)
    left, answers = sorted(range(len(rows)), key=lambda row: -found.scores[row]), []
    while left:
        members = [
            row for row in left if row == left[0] or plain_iou(found, left[0], row) > threshold
        ]
        weights = [float(found.scores[row]) for row in members]
        values = [np.append(found.boxes[row], found.landmarks[row][:1]) for row in members]
        mean = np.average(values, axis=0, weights=weights) if sum(weights) else values[0]
        answers.append((float(found.scores[left[0]]), *mean.tolist()))
        left = [row for row in left if row not in members]
    return answers


def plain_iou(found, one, other):
    first, second = (found.boxes[row].tolist() for row in (one, other))
    width = min(first[2], second[2]) - max(first[0], second[0]) + 1
    height = min(first[3], second[3]) - max(first[1], second[1]) + 1
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (first, second)]
    shared = max(width, 0) * max(height, 0)
    return shared / (sum(areas) - shared)


@given(drawn, st.sampled_from([0.3, 0.4, 0.6]))
def test_voting_equals_the_plain_loop(rows, threshold):
    found = vote(detections(rows), threshold)
    table = np.column_stack([found.scores, found.boxes, found.landmarks[:, :1]])
    np.testing.assert_allclose(
        table.reshape(-1, 6), np.reshape(plain_vote(rows, threshold), (-1, 6)), atol=1e-4
    )


@given(drawn)
def test_a_group_has_one_leader_that_stays(rows):
    found = detections(rows)
    owner = group(found.boxes, found.scores, 0.4)
    assert sorted(set(owner.tolist())) == sorted(suppress(found.boxes, found.scores, 0.4).tolist())
    assert (owner[owner] == owner).all()


def test_merging_keeps_the_strongest_of_all_looks():
    box, weaker = ((0, 0, 10, 10), 0.9), ((0, 0, 10, 10), 0.5)
    apart = ((25, 25, 5, 5), 0.2)
    found = merge([detections([weaker]), detections([box, apart])], EvaluateConfig())
    assert found.scores.tolist() == pytest.approx([0.9, 0.2])
    most = EvaluateConfig(max_detections=1)
    assert len(merge([detections([weaker]), detections([box, apart])], most)) == 1


@pytest.mark.parametrize("size", [(200, 333), (701, 200), (64, 4000)])
@pytest.mark.parametrize("flip", [False, True])
def test_a_view_of_half_or_less_is_what_the_whole_picture_would_give(size, flip):
    height, width = size
    pixels = torch.from_numpy(picture(height, width)[None])
    view = View(width, height, 0.5 * 61 / 64, mirrored=flip)
    assert view.halves
    wanted = view.apply(pixels.float().permute(0, 3, 1, 2))
    assert torch.allclose(view.sampled(pixels).permute(0, 3, 1, 2), wanted, atol=1e-3, rtol=0)


def test_a_huge_picture_is_shrunk_before_it_becomes_numbers_of_four_bytes(model, monkeypatch):
    whole = []
    monkeypatch.setattr(View, "apply", lambda view, _: whole.append(view))
    detect(model, CONFIG, picture(1400, 1300), EvaluateConfig(protocol="vga"))
    assert not whole
    assert not View(1279, 640, 640 / 1279).halves


def test_what_is_found_in_a_huge_picture_is_what_was_found_before(model, monkeypatch):
    evaluate = EvaluateConfig(protocol="vga", score_threshold=0.0, max_detections=50)
    image = picture(1280, 1300)
    now = detect(model, CONFIG, image, evaluate)
    monkeypatch.setattr(View, "halves", False)
    before = detect(model, CONFIG, image, evaluate)
    np.testing.assert_allclose(now.boxes, before.boxes, atol=1e-2)
    np.testing.assert_allclose(now.scores, before.scores, atol=1e-5)
