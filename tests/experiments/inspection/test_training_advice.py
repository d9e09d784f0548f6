"""Each recommendation follows where its rule holds, and stays away where it does not."""

import numpy as np
import pytest

from experiments.inspection.training_advice import advise, stretch
from experiments.running.face_sizes import census, level_bounds
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.variants.table import variant

PLAIN = {"train": {"epochs": 40, "lr": 0.01, "landmark_weight": 1.0, "negatives": 7}}


def history(losses, scores=(), rates=()):
    """Make epochs of LOSSES, of mean APs (None: not evaluated) and of learning RATES."""
    epochs = []
    for at, loss in enumerate(losses, 1):
        one = {"epoch": at, "loss": loss, "learning_rate": rates[at - 1] if rates else 0.01}
        if at <= len(scores) and scores[at - 1] is not None:
            one["mean_ap"] = scores[at - 1]
        epochs.append(one)
    return epochs


def codes(epochs, recipe=PLAIN, **more):
    return [one.code for one in advise(epochs, recipe, **more)]


FALLING = [8, 6, 5, 4.3, 3.8, 3.4, 3.1, 2.9]
FALLEN_AP = [0.2, 0.4, 0.5, 0.55, 0.54, 0.52, 0.5, 0.48]
STILL = [8, 6, 5, 4.5, 4.3, 4.3, 4.31, 4.29, 4.3, 4.3, 4.31, 4.3]
COOLED = [0.01] * 6 + [0.005, 0.002, 0.001, 0.0008, 0.0005, 0.0001]
BLOWN = [8, 5, 4, 3.5, 4, 4.8, 6]


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ({"image_size": 128}, []),  # no face has 181 pixels in a picture of 128
        ({"image_size": 181}, []),
        ({"image_size": 182}, ["sizes_large"]),
        ({"image_size": 128, "progressive": [128, 320]}, ["sizes_large"]),
        ({}, ["sizes_large"]),
        ({"image_size": "auto"}, ["sizes_large"]),
    ],
)
def test_no_faces_larger_than_the_pictures_are_missed(train, expected):
    details = {"sizes": {"faces": [400, 354, 0], "bounds": [45, 181]}}
    assert codes(history([1.0]), {"train": train}, details=details) == expected


@pytest.mark.parametrize(
    ("losses", "scores", "rates", "expected"),
    [
        (FALLING, FALLEN_AP, (), ["overfitting_patience"]),
        (FALLING, sorted(FALLEN_AP), (), []),  # AP is highest at the end
        (FALLING, [0.2, 0.4, 0.5, 0.55, 0.54, 0.55, 0.545, 0.549], (), []),  # it only wiggles
        (FALLING, [*FALLEN_AP[:4], 0.54, 0.55, 0.56, 0.5], (), []),  # one evaluation after its peak
        (sorted(FALLING), FALLEN_AP, (), ["divergence"]),  # AP falls, but so does the network
        (FALLING, [None] * 7 + [0.5], (), []),
        (STILL, [0.1] * 12, (), ["plateau"]),
        (STILL, [0.1] * 12, COOLED, ["plateau_spent"]),
        (STILL, [], (), ["plateau_loss"]),  # nobody knows whether AP got better
        (STILL, [None] * 11 + [0.1], COOLED, ["plateau_spent_loss"]),
        (STILL, [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5, 0.6, 0.6], (), []),  # AP rises
        (FALLING, [0.5] * 8, (), []),  # the loss still falls
        (STILL[:5], [], (), []),  # too short to say
        (BLOWN, [], (), ["divergence"]),
        ([8, 5, 4, 3.5, 6, 4, 3.4], [], (), []),  # one bad epoch, then better
        ([8, 5, 4, 3.5, 3.5, 3.6, 3.7], [], (), []),  # rises, but hardly
    ],
)
def test_a_course_is_remarked_on_where_its_rule_holds(losses, scores, rates, expected):
    assert codes(history(losses, scores, rates)) == expected


def test_what_is_said_is_what_the_epochs_hold():
    [one] = advise(history(FALLING, FALLEN_AP), {"train": {"epochs": 8, "patience": 3}})
    assert one.code == "overfitting"
    assert (one.values["at"], one.values["epoch"]) == (4, 8)
    assert one.values["fall"] == pytest.approx(0.07)
    assert (one.values["before"], one.values["after"]) == (4.3, 2.9)


@pytest.mark.parametrize(
    "pace",
    [
        {"train": {"epochs": 7, "progressive": [320, 640]}},
        {"train": {"epochs": 7, "curriculum": 0.6}},
        {"train": {"epochs": 7}, "distill": {"phases": [{"until": 0.5}, {"until": 1}]}},
    ],
)
def test_a_loss_that_rises_because_the_training_got_harder_is_no_divergence(pace):
    assert codes(history(BLOWN), pace) == []
    alike = stretch(history(BLOWN), pace["train"], pace.get("distill", {}))
    assert [one["epoch"] for one in alike][-1] == 7
    assert 4 <= alike[0]["epoch"] <= 6


@pytest.mark.parametrize(
    ("counts", "landmarks", "expected"),
    [
        ([500, 300, 200], 900, []),
        ([10, 500, 490], 900, ["sizes_small"]),
        ([500, 10, 490], 900, ["sizes_medium"]),
        ([600, 400, 0], 900, ["sizes_large"]),
        ([500, 300, 200], 0, ["landmarks"]),
        ([0, 0, 0], 0, []),
    ],
)
def test_imbalance_of_sizes_and_landmarks(counts, landmarks, expected):
    details = {"sizes": {"bounds": [45, 181], "faces": counts}, "landmarks": landmarks}
    assert codes(history([1.0]), details=details) == expected


def test_landmarks_that_are_not_asked_for_are_not_missed():
    details = {"sizes": {"bounds": [45, 181], "faces": [5, 3, 2]}, "landmarks": 0}
    assert codes(history([1.0]), {"train": {"landmark_weight": 0}}, details=details) == []


@pytest.mark.parametrize(
    ("recall", "precision", "expected"),
    [(0.2, 0.9, ["background"]), (0.9, 0.2, ["foreground"]), (0.7, 0.7, []), (0.2, 0.2, [])],
)
def test_imbalance_of_faces_and_background(recall, precision, expected):
    scores = {"widerface.recall": recall, "widerface.precision": precision}
    assert codes(history([1.0]), scores=scores) == expected


def test_without_epochs_nothing_is_said():
    assert codes([]) == []


def test_a_census_counts_every_face_once(tmp_path):
    small = SyntheticConfig(image_size=128, train_images=6, val_images=1, largest_face=100)
    draw(tmp_path / "set", small)
    split = open_split(tmp_path / "set", "train")
    found = census(split, variant("v2"))
    assert level_bounds(variant("v2")) == found["sizes"]["bounds"] == [45, 181]
    assert sum(found["sizes"]["faces"]) == split.annotations.faces
    sides = np.concatenate([one.boxes[:, 2:] - one.boxes[:, :2] for one in split.images])
    assert found["sizes"]["faces"][0] == int((np.sqrt(sides.prod(axis=1)) < 45).sum())
    assert found["landmarks"] == split.annotations.faces
