from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featherface.errors import DataError
from featherface.evaluation.ground_truth import GroundTruth
from featherface.evaluation.matches import MatchRecords, SubsetMatches
from featherface.evaluation.protocol import evaluate


def random_set(seed, images=12):
    """Pictures with faces on a grid, some found, some missed, some false alarms."""
    random = np.random.default_rng(seed)
    boxes, kept, predictions = [], [], {}
    for row in range(images):
        faces = np.array([[30 * i, 0, 20, 20] for i in range(random.integers(0, 5))], dtype=float)
        faces = faces.reshape(-1, 4)
        found = faces[random.random(len(faces)) < 0.7] + random.integers(-3, 4, 4)
        table = np.vstack([found, random.uniform(200, 300, (random.integers(0, 4), 4))])
        scores = random.random(len(table))[:, None]
        predictions[f"e/{row}"] = np.hstack([table, scores])
        boxes.append(faces)
        kept.append(np.flatnonzero(random.random(len(faces)) < 0.8))
    truth = GroundTruth(
        images=tuple(predictions),
        boxes=tuple(boxes),
        subsets={"hard": tuple(kept)},
        source="drawn",
        whole=images,
    )
    return predictions, truth


def repeated(predictions, truth, weights):
    """The set with each picture in it as often as WEIGHTS says, under new names."""
    rows = [row for row, count in enumerate(weights) for _ in range(int(count))]
    names = [f"e/{place}" for place in range(len(rows))]
    return (
        {name: predictions[truth.images[row]] for name, row in zip(names, rows, strict=True)},
        GroundTruth(
            images=tuple(names),
            boxes=tuple(truth.boxes[row] for row in rows),
            subsets={"hard": tuple(truth.subsets["hard"][row] for row in rows)},
            source="drawn",
            whole=len(rows),
        ),
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.data())
def test_a_weight_counts_as_so_many_copies_of_the_picture(seed, data):
    predictions, truth = random_set(seed)
    weights = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=12, max_size=12)), dtype=float
    )
    if not weights.any():
        return
    predictions["e/0"] = np.vstack([predictions["e/0"], [[900, 900, 5, 5, 0], [950, 900, 5, 5, 1]]])
    weights[0] = max(weights[0], 1)  # keeps the range of scores, and with it their normalisation
    matches = evaluate(predictions, truth).matches
    copied = evaluate(*repeated(predictions, truth, weights))
    assert matches.ap("hard", weights) == pytest.approx(
        copied.subsets["hard"].ap, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize(("weights", "ap"), [([1, 1], 1 / 2), ([1, 3], 1 / 4), ([3, 1], 3 / 4)])
def test_a_found_and_a_missed_face_count_by_their_weights(weights, ap):
    faces = np.array([[0.0, 0.0, 20.0, 20.0]])
    truth = GroundTruth(
        images=("e/0", "e/1"),
        boxes=(faces, faces),
        subsets={"hard": (np.arange(1), np.arange(1))},
        source="drawn",
        whole=2,
    )
    predictions = {"e/0": np.array([[0, 0, 20, 20, 0.9]]), "e/1": np.array([[60, 0, 9, 9, 0.1]])}
    matches = evaluate(predictions, truth).matches
    assert matches.ap("hard", np.array(weights, dtype=float)) == pytest.approx(ap, abs=1e-12)


def test_ones_give_exactly_the_evaluations_ap():
    answer = evaluate(*random_set(3, images=40))
    wanted = answer.subsets["hard"].ap
    assert answer.matches.ap("hard") == wanted
    assert answer.matches.resampled_ap("hard", np.ones((3, 40))).tolist() == [wanted] * 3


def test_a_resample_does_not_depend_on_its_batch():
    matches = evaluate(*random_set(5, images=40)).matches
    weights = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=300).astype(float)
    together = matches.resampled_ap("hard", weights)
    assert together.tolist() == [matches.ap("hard", row) for row in weights]


def test_fractional_weights_count_in_proportion():
    matches = evaluate(*random_set(7)).matches
    assert matches.ap("hard", np.full(12, 0.25)) == pytest.approx(matches.ap("hard"), abs=1e-12)


def test_no_resample_gives_no_ap():
    assert evaluate(*random_set(7)).matches.resampled_ap("hard", np.empty((0, 12))).shape == (0,)


def test_a_resample_without_faces_is_undefined():
    matches = evaluate(*random_set(7)).matches
    assert np.isnan(matches.resampled_ap("hard", np.zeros((1, 12)))).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 15))
def test_saved_records_come_back(tmp_path_factory, seed, images):
    matches = evaluate(*random_set(seed, images)).matches
    path = tmp_path_factory.mktemp("records") / "deep" / "matches.npz"
    matches.save(path)
    again = MatchRecords.load(path)
    assert (again.images, again.score_range) == (matches.images, matches.score_range)
    for key in ("faces", "proposals", "hits"):
        stored = getattr(again.subsets["hard"], key)
        assert stored.dtype == np.int32
        assert np.array_equal(stored, getattr(matches.subsets["hard"], key))


def test_saving_twice_gives_the_same_bytes(tmp_path):
    matches = evaluate(*random_set(1)).matches
    matches.save(tmp_path / "a.npz")
    matches.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut", "foreign"])
def test_damaged_records_are_named(tmp_path, damage):
    path = tmp_path / "matches.npz"
    if damage in {"cut", "foreign"}:
        evaluate(*random_set(1)).matches.save(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:400])
    if damage == "foreign":
        np.savez(path, version=np.array(99))
    if damage in {"empty", "text"}:
        path.write_text("" if damage == "empty" else "no archive", encoding="utf-8")
    with pytest.raises(DataError, match=r"matches\.npz holds no match records"):
        MatchRecords.load(path)


def test_large_counts_stay_exact():
    counts = np.cumsum(np.full((50, 1000), 977, dtype=np.int32), axis=1, dtype=np.int32)
    matches = MatchRecords(
        images=tuple(map(str, range(50))),
        subsets={
            "hard": SubsetMatches(
                faces=np.full(50, 2_000_003, dtype=np.int32), proposals=counts, hits=counts
            )
        },
    )
    precision, recall = matches.curve("hard")
    assert (precision == 1).all()
    assert recall[-1] == 977_000 / 2_000_003
