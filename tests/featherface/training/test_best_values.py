"""Which weights a training keeps: by which metric, of which network, and when it stops."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from stand_ins.tiny_detector import TinyDetector

from featherface import errors
from featherface.training.config.train import TrainConfig
from featherface.training.loop import train

CONFIG = TrainConfig(
    epochs=4,
    batch_size=4,
    image_size=64,
    device="cpu",
    augmentations=(),
    workers=0,
    evaluate_every=1,
)
NAN = math.nan


def go(split, folder, values, config=None, **options):
    """Train an epoch for each of VALUES, which its evaluation gives; keep what was evaluated.

    A value may be a metric or several; the result, and the weights by epoch, are returned.
    """
    seen = {}

    def evaluate(evaluated, epoch):
        assert not evaluated.training
        seen[epoch] = {name: value.clone() for name, value in evaluated.state_dict().items()}
        value = values[epoch - 1]
        return value if isinstance(value, dict) else {"ap": value}

    config = replace(config or CONFIG, epochs=len(values))
    model = TinyDetector(5)
    result = train(model, split, config, folder=folder, evaluate=evaluate, **options)
    return result, seen


def epoch_of(path, seen):
    """Return the epoch whose weights lie in PATH."""
    kept = load_file(path)
    same = [
        epoch
        for epoch, state in seen.items()
        if all(torch.equal(kept[name], value) for name, value in state.items())
    ]
    assert len(same) == 1
    return same[0]


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ((0.2, 0.7, 0.5, 0.6), 2),
        ((0.9, 0.7, 0.5), 1),
        ((0.1, 0.2, 0.3), 3),
        ((0.5, 0.7, 0.7, 0.7), 2),  # of equals the first
        ((0.0, 0.0), 1),
        ((-2.0, -1.0, -3.0), 2),
        ((NAN, 0.3, 0.1), 2),  # what is no number is no best
        ((0.3, NAN, 0.2), 1),
        ((0.2, NAN, 0.3), 3),
    ],
)
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_best_weights_are_of_the_first_highest_evaluation(
    small_split, tmp_path, values, best, ema
):
    config = replace(CONFIG, ema=ema)
    result, seen = go(small_split, tmp_path, values, config)
    assert result.best == values[best - 1]
    assert epoch_of(result.weights, seen) == best
    assert epoch_of(result.last, seen) == len(values)


def test_only_numbers_make_a_best(small_split, tmp_path):
    result, seen = go(small_split, tmp_path, (NAN, NAN))
    assert result.best is None
    assert result.weights == result.last
    assert epoch_of(result.last, seen) == 2


def test_the_first_metric_decides_alone(small_split, tmp_path):
    values = [{"ap": 0.4, "recall": 0.1}, {"ap": 0.3, "recall": 0.9}]
    events = []
    result, seen = go(small_split, tmp_path, values, on_event=events.append)
    assert epoch_of(result.weights, seen) == 1
    assert [{key: event[key] for key in values[0]} for event in events if "ap" in event] == values
    assert result.metrics == values[1]
    assert result.best == 0.4


def test_without_a_number_of_epochs_the_last_alone_is_evaluated(small_split, tmp_path):
    result, seen = go(small_split, tmp_path, [0.1] * 3, replace(CONFIG, evaluate_every=0))
    assert list(seen) == [3]
    assert result.best == 0.1


def test_evaluations_are_due_every_so_many_epochs_and_after_the_last(small_split, tmp_path):
    result, seen = go(small_split, tmp_path, [0.1] * 5, replace(CONFIG, evaluate_every=2))
    assert list(seen) == [2, 4, 5]
    assert epoch_of(result.weights, seen) == 2


@pytest.mark.parametrize(
    ("values", "patience", "epochs"),
    [
        ((0.5, 0.4, 0.3, 0.2), 2, 3),
        ((0.5, 0.5, 0.5, 0.5), 2, 3),  # as good is not better
        ((0.5, 0.4, 0.6, 0.5, 0.4, 0.3), 2, 5),  # a better one begins the count anew
        ((0.5, 0.4, 0.3, 0.2), 0, 4),
        ((0.5, 0.4, 0.3, 0.2), 3, 4),
        ((0.5, NAN, NAN, 0.9), 2, 3),
    ],
)
def test_patience_counts_evaluations_without_a_better_metric(
    small_split, tmp_path, values, patience, epochs
):
    result, seen = go(small_split, tmp_path, values, replace(CONFIG, patience=patience))
    assert result.epochs == len(seen) == epochs


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_resumed_training_remembers_its_best_and_its_patience(small_split, tmp_path, stop):
    """Two steps an epoch: STOP is amid the first, after it, and amid the second."""
    values = (0.6, 0.5, 0.7, 0.4, 0.3, 0.8)
    config = replace(CONFIG, patience=2)
    _, whole = go(small_split, tmp_path / "whole", values, config)
    calls = iter(range(1, 99))
    first, seen = {}, {}
    with pytest.raises(errors.InterruptedRunError):
        _, first = go(
            small_split, tmp_path / "cut", values, config, should_stop=lambda: next(calls) >= stop
        )
    result, seen = go(small_split, tmp_path / "cut", values, config, resume=True)
    assert (result.epochs, result.best) == (5, 0.7)
    assert epoch_of(result.weights, {**first, **seen}) == 3
    assert epoch_of(result.weights, whole) == 3
    kept = load_file(tmp_path / "whole" / "best.safetensors")
    assert all(torch.equal(value, kept[name]) for name, value in load_file(result.weights).items())


def test_a_best_of_before_the_interruption_stays(small_split, tmp_path):
    calls = iter(range(1, 99))
    values = (0.9, 0.2, 0.3)
    with pytest.raises(errors.InterruptedRunError):
        go(small_split, tmp_path, values, should_stop=lambda: next(calls) >= 3)
    before = load_file(tmp_path / "best.safetensors")
    result, _ = go(small_split, tmp_path, values, resume=True)
    assert result.best == 0.9
    after = load_file(result.weights)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_an_average_is_what_is_evaluated_and_kept(small_split, tmp_path):
    """Not the network that learns, whose weights lie elsewhere."""
    config, learner = replace(CONFIG, epochs=1, ema=0.9), TinyDetector(5)
    shown = []

    def evaluate(evaluated, _epoch):
        shown.append({name: value.clone() for name, value in evaluated.state_dict().items()})
        return {"ap": 0.5}

    result = train(learner, small_split, config, folder=tmp_path, evaluate=evaluate)
    for path in (result.last, result.weights):
        kept = load_file(path)
        assert all(torch.equal(kept[name], value) for name, value in shown[0].items())
        assert not torch.equal(kept["heads.predict.weight"], learner.heads.predict.weight)
