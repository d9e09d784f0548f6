import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins.plain_losses import overlap_table

from featherface.geometry.boxes import corners_of
from featherface.geometry.priors import priors
from featherface.losses import assignment
from featherface.losses.assignment import assign, overlaps
from featherface.training.loading.batches import empty_targets
from featherface.variants.table import variant

PRIORS = priors(variant("v2"), 64, 96)


def test_overlaps_by_hand():
    first = torch.tensor([[[0.0, 0.0, 2.0, 2.0]]])
    second = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
    torch.testing.assert_close(overlaps(first, second), torch.tensor([[[1 / 7, 1.0, 0.0]]]))


def official(boxes, others, threshold):
    """Match one picture as the official source does, face by face."""
    face = torch.zeros(len(others), dtype=torch.long)
    if not len(boxes):
        return face, torch.zeros(len(others), dtype=torch.bool)
    table = overlap_table(boxes, corners_of(others))
    best, best_prior = table.max(1)
    if not (best >= 0.2).any():
        return face, torch.zeros(len(others), dtype=torch.bool)
    best_of_prior, face = table.max(0)
    best_of_prior[best_prior[best >= 0.2]] = 2
    for index, prior in enumerate(best_prior.tolist()):
        face[prior] = index
    return face, best_of_prior >= threshold


pictures = st.lists(
    st.lists(
        st.tuples(*[st.floats(0, 0.9)] * 2, *[st.floats(0.01, 0.8)] * 2).map(
            lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
        ),
        max_size=6,
    ),
    min_size=1,
    max_size=4,
)


def targets_of(rows):
    made = empty_targets(len(rows), max(len(row) for row in rows))
    for index, row in enumerate(rows):
        made.boxes[index, : len(row)] = torch.tensor(row).reshape(-1, 4)
        made.faces[index, : len(row)] = True
    return made


@settings(deadline=None)
@given(pictures)
def test_a_batch_is_matched_as_the_official_source_matches_each_picture(rows):
    matched = assign(PRIORS, targets_of(rows), 0.35)
    for index, row in enumerate(rows):
        face, positive = official(torch.tensor(row).reshape(-1, 4), PRIORS, 0.35)
        assert torch.equal(matched.positive[index], positive)
        assert torch.equal(matched.face[index][positive], face[positive])


@given(pictures)
@settings(max_examples=20, deadline=None)
def test_matching_in_parts_or_each_picture_alone_changes_nothing(rows):
    alone = assign(PRIORS, targets_of(rows), 0.35)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "looked_up", lambda _: False)
        whole = assign(PRIORS, targets_of(rows), 0.35)
        patch.setattr(assignment, "LARGEST_TABLE", 1)
        parts = assign(PRIORS, targets_of(rows), 0.35)
    for matched in (parts, alone):
        assert all(torch.equal(a, b) for a, b in zip(whole, matched, strict=True))


def test_a_picture_is_matched_with_its_own_faces_alone(monkeypatch):
    seen = []
    real = assignment.overlaps
    monkeypatch.setattr(
        assignment,
        "overlaps",
        lambda boxes, others: seen.append(boxes.shape[:2]) or real(boxes, others),
    )
    face = [0.2, 0.2, 0.4, 0.4]
    assign(PRIORS, targets_of([[face] * 5, [face], [], [face] * 2]), 0.35)
    assert seen == [(1, 5), (1, 1), (1, 2)]


def test_a_tiny_face_forces_no_match_but_takes_over_its_best_prior():
    prior = corners_of(PRIORS)[7]
    tiny = torch.cat((prior[:2], prior[:2] + (prior[2:] - prior[:2]) * 0.3))  # IoU 0.09
    matched = assign(PRIORS, targets_of([[prior.tolist(), tiny.tolist()]]), 0.35)
    best_of_tiny = overlap_table(tiny[None], corners_of(PRIORS))[0].argmax()
    assert matched.face[0, best_of_tiny] == 1
    assert matched.positive[0, best_of_tiny] == (best_of_tiny == 7)
    alone = assign(PRIORS, targets_of([[tiny.tolist()]]), 0.35)
    assert not alone.positive.any()


@given(pictures)
@settings(max_examples=20, deadline=None)
def test_overlaps_agree_with_the_plain_formula(rows):
    targets = targets_of(rows)
    table = overlaps(targets.boxes, corners_of(PRIORS))
    for index, row in enumerate(rows):
        if row:
            expected = overlap_table(targets.boxes[index, : len(row)], corners_of(PRIORS))
            torch.testing.assert_close(table[index, : len(row)], expected, rtol=1e-4, atol=1e-5)
