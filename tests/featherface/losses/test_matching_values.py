"""Which prior learns which face, where plain loops and a picture on paper say so."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins.plain_losses import corners, official_matching, overlap

from featherface.geometry.priors import Levels
from featherface.losses.assignment import assign
from featherface.losses.atss import assign_atss
from featherface.losses.simota import assign_simota
from featherface.training.loading.batches import empty_targets

STEP = 0.25
GRID = [
    ((column + 0.5) * STEP, (row + 0.5) * STEP, size, size)
    for row in range(4)
    for column in range(4)
    for size in (0.25, 0.5)
]
"""Two square priors at each of 4 x 4 positions; all numbers are exact in binary."""
PRIORS = torch.tensor(GRID, dtype=torch.float64)
LEVELS = Levels((32,), (8,), 2, 32)
VARIANCES = (0.1, 0.2)


def targets_of(*pictures):
    made = empty_targets(len(pictures), max(map(len, pictures), default=0))
    made = made._replace(boxes=made.boxes.double())
    for row, faces in enumerate(pictures):
        for place, face in enumerate(faces):
            made.boxes[row, place] = torch.tensor(face)
            made.faces[row, place] = True
    return made


def official(*pictures, threshold=0.35):
    assignment = assign(PRIORS, targets_of(*pictures), threshold)
    return [
        [face if positive else None for face, positive in zip(faces, mask, strict=True)]
        for faces, mask in zip(assignment.face.tolist(), assignment.positive.tolist(), strict=True)
    ]


def by_hand(faces, threshold=0.35):
    matched = official_matching(GRID, faces, threshold)
    return [face if positive else None for face, positive in zip(*matched, strict=True)]


def prior(column, row, large=False):
    return 2 * (4 * row + column) + large


eighths = st.integers(0, 7)
faces_in_eighths = st.lists(
    st.tuples(eighths, eighths, st.integers(1, 8), st.integers(1, 8)).map(
        lambda box: (box[0] / 8, box[1] / 8, (box[0] + box[2]) / 8, (box[1] + box[3]) / 8)
    ),
    max_size=4,
)
"""Faces on a grid of eighths: equal overlaps, shared best priors and equal faces are common."""


@settings(max_examples=150)
@given(st.lists(faces_in_eighths, min_size=1, max_size=3), st.sampled_from([0.2, 0.25, 0.35, 0.5]))
def test_official_matching_is_the_loop_also_where_overlaps_are_equal(pictures, threshold):
    wanted = [by_hand(faces, threshold) for faces in pictures]
    assert official(*pictures, threshold=threshold) == wanted


def test_a_prior_learns_the_face_that_it_overlaps_by_exactly_the_threshold():
    face = (0.25, 0.25, 0.75, 0.75)
    assert overlap(face, corners(GRID[prior(1, 1)])) == 0.25
    for threshold, positive in ((0.25, True), (0.2501, False)):
        (matched,) = official([face], threshold=threshold)
        assert (matched[prior(1, 1)] == 0) is positive
        assert matched[prior(1, 1, large=True)] == 0 or threshold > 0.25


def test_a_face_takes_its_best_prior_from_an_overlap_of_a_fifth_on():
    """Of a small prior's 1/16, shares of 1/5 and of a bit less."""
    x, y = 0.25, 0.5
    for share, taken in ((0.2000001, True), (0.1999, False)):
        (matched,) = official([(x, y, x + 0.25, y + 0.25 * share)])
        assert (matched[prior(1, 2)] == 0) is taken
        assert [face for face in matched if face is not None] == [0] * taken


def test_of_equal_best_priors_a_face_takes_the_first():
    between = (0.125, 0.0, 0.375, 0.25)  # half over each of two positions: IoU 1/3 with both
    (matched,) = official([between], threshold=0.4)
    assert [place for place, face in enumerate(matched) if face is not None] == [prior(0, 0)]


def test_faces_that_share_a_best_prior_leave_it_to_the_last():
    face = (0.0, 0.0, 0.25, 0.25)
    (matched,) = official([face, face, (0.0, 0.0, 0.25, 0.125)])
    assert matched[prior(0, 0)] == 2  # though it overlaps that least
    (matched,) = official([(0.0, 0.0, 0.25, 0.125), face, face])
    assert matched[prior(0, 0)] == 2


@pytest.mark.parametrize(
    "face",
    [
        (0.08, 0.36, 0.36, 0.88),  # another without the deviation
        (0.07, 0.31, 0.84, 1.0),  # with eight positions
        (0.25, 0.37, 0.49, 1.0),  # with the deviation of a population
    ],
)
def test_atss_threshold_is_mean_plus_sample_deviation_of_the_nearest_positions(face):
    """Nine positions of sixteen; two priors at each. The faces tell slips of that apart."""
    centre = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    places = sorted(
        range(16),
        key=lambda n: (GRID[2 * n][0] - centre[0]) ** 2 + (GRID[2 * n][1] - centre[1]) ** 2,
    )[:9]
    candidates = [2 * place + kind for place in places for kind in (0, 1)]
    values = [overlap(face, corners(GRID[n])) for n in candidates]
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    wanted = {
        n
        for n, value in zip(candidates, values, strict=True)
        if value >= mean + deviation
        and face[0] < GRID[n][0] < face[2]
        and face[1] < GRID[n][1] < face[3]
    }
    assignment = assign_atss(PRIORS, LEVELS, targets_of([face]))
    assert set(assignment.positive[0].nonzero()[:, 0].tolist()) == wanted
    assert wanted


def test_atss_gives_a_prior_to_the_face_that_it_overlaps_most():
    middle = prior(1, 1, large=True)
    better, other = corners(GRID[middle]), (0.2, 0.2, 0.6, 0.55)
    for faces, winner in (([better, other], 0), ([other, better], 1), ([better, better], 1)):
        assignment = assign_atss(PRIORS, LEVELS, targets_of(faces))
        assert assignment.positive[0, middle]
        assert assignment.face[0, middle] == winner  # of equal ones the last


def predicting(boxes):
    """Return deltas with which priors (keys) predict BOXES (centre form), all others nothing."""
    deltas = torch.zeros(1, len(GRID), 4, dtype=torch.float64)
    deltas[..., 0] = 1e3
    for place, (x, y, width, height) in boxes.items():
        own = GRID[place]
        shift = (x - own[0]) / (0.1 * own[2]), (y - own[1]) / (0.1 * own[3])
        growth = math.log(width / own[2]) / 0.2, math.log(height / own[3]) / 0.2
        deltas[0, place] = torch.tensor((*shift, *growth))
    return deltas


def probable(faces):
    """Return logits by which priors (keys) give a face those probabilities, all others 1/2."""
    logits = torch.zeros(1, len(GRID), 2, dtype=torch.float64)
    for place, chance in faces.items():
        logits[0, place] = torch.tensor((math.log(1 - chance), math.log(chance)))
    return logits


def simota(faces, boxes, logits):
    """Return the face of each prior that learns one."""
    assignment = assign_simota(
        PRIORS, LEVELS, targets_of(faces), predicting(boxes), logits, VARIANCES
    )
    return {n: int(assignment.face[0, n]) for n in assignment.positive[0].nonzero()[:, 0].tolist()}


WHOLE = (0.5, 0.5, 1.0, 1.0)


@pytest.mark.parametrize(("priors", "share", "taken"), [(0, 1, 1), (3, 0.9, 2), (20, 0.95, 9)])
def test_simota_takes_as_many_priors_as_the_ten_best_overlaps_add_up_to(priors, share, taken):
    """So many PRIORS predict SHARE of the face, the others nothing: 2.7 makes 2, 9.5 makes 9."""
    boxes = dict.fromkeys(range(priors), (0.5, share / 2, 1.0, share))
    assert len(simota([corners(WHOLE)], boxes, probable({}))) == taken


def test_simota_takes_the_cheapest():
    boxes = dict.fromkeys((4, 7, 9), (0.5, 0.45, 1.0, 0.9))
    logits = probable({4: 0.6, 7: 0.3, 9: 0.5})
    assert simota([corners(WHOLE)], boxes, logits) == {4: 0, 9: 0}


def test_simota_leaves_a_prior_that_several_want_to_the_cheapest():
    left, right = (0.25, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0)
    for boxes, winner in (({10: left}, 0), ({10: right}, 1)):
        assert simota([corners(left), corners(right)], boxes, probable({10: 0.9}))[10] == winner


def test_simota_prefers_priors_in_the_face_and_near_its_middle():
    """A prior that is sure and predicts the face, but lies outside, comes after any inside."""
    face, near, far = (0.25, 0.25, 0.5, 0.5), prior(0, 0), prior(3, 3)
    boxes = {near: (0.25, 0.25, 0.6, 0.6), far: face}
    assert simota([corners(face)], boxes, probable({far: 0.99})) == {near: 0}


@pytest.mark.parametrize(("gain", "winner"), [(2.0, prior(1, 1)), (2.2, prior(0, 0))])
def test_simota_weighs_an_overlap_three_times_as_much_as_a_score(gain, winner):
    """Half an overlap costs 3 log 2 = 2.08; GAIN is by how much the other's score is worse."""
    face = (0.25, 0.25, 0.5, 0.5)
    boxes = {prior(0, 0): (0.25, 0.125, 0.5, 0.25), prior(1, 1): face}
    logits = probable({prior(1, 1): 0.5 * math.exp(-gain)})
    assert simota([corners(face)], boxes, logits) == {winner: 0}


@pytest.mark.parametrize(("offset", "candidate"), [(0.624, True), (0.626, False)])
def test_simota_looks_two_and_a_half_strides_around_a_faces_middle(offset, candidate):
    """A stride is a quarter of the side; the face is smaller than any way to a prior's centre."""
    x = 0.125 + offset
    tiny = (x, 0.4, 0.01, 0.01)
    place = prior(0, 1)
    matched = simota([corners(tiny)], {place: tiny}, probable({place: 0.99}))
    assert (matched == {place: 0}) is candidate
