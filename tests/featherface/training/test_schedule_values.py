"""Every schedule step by step: values on paper, and the step that each belongs to.

Shares of a cosine's way are chosen as quarters: 1, 0.853.., 0.5, 0.146.., 0 of its height.
"""

import itertools
import math

import pytest
import torch

from featherface.training.config.train import TrainConfig
from featherface.training.optimization.schedules import END, SCHEDULES, START, learning_rate

QUARTERS = [1, (2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4, 0]
"""(1 + cos(x pi)) / 2 at x = 0, 1/4, 1/2, 3/4, 1."""


def rates(total, **options):
    config = TrainConfig(**options)
    return [learning_rate(config, step, total) for step in range(total)]


def near(values):
    return pytest.approx(values, rel=1e-12, abs=1e-15)


def test_onecycle_rises_and_falls_along_cosines():
    """Nine steps, four of warm-up: the peak is step 4, the end the last step."""
    rising = [START + (1 - START) * (1 - share) for share in QUARTERS[:4]]
    falling = [END + (1 - END) * share for share in QUARTERS]
    assert rates(9, lr=0.3, warmup=4 / 9) == near([0.3 * share for share in rising + falling])


def test_onecycle_begins_at_a_25th_and_ends_at_a_250_000th():
    first, *_, last = rates(50, lr=1.0, warmup=0.2)
    assert [first, last] == near([1 / 25, 1 / 250_000])


def test_onecycle_is_pytorchs():
    """PyTorch counts the peak among the steps that rise: its share has one step more."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.1, total_steps=81, pct_start=21 / 81, cycle_momentum=False
    )
    for rate in rates(81, lr=0.1, warmup=20 / 81):
        assert rate == near(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if reference.last_epoch < 80:
            reference.step()


def test_cosine_warms_up_linearly_and_would_reach_zero_after_the_last_step():
    """Seven steps, three of warm-up: a quarter more each, and the fourth is the peak."""
    values = rates(7, schedule="cosine", lr=2.0, warmup=3 / 7)
    assert values == near([0.5, 1.0, 1.5, *(2 * share for share in QUARTERS[:4])])


def test_steps_divide_by_ten_from_the_step_at_each_share_on():
    values = rates(10, schedule="steps", lr=1.0, warmup=0.0, steps_at=(0.5, 0.8))
    assert values == near([1.0] * 5 + [0.1] * 3 + [0.01] * 2)
    values = rates(10, schedule="steps", lr=1.0, warmup=0.2, steps_at=(0.5, 0.8))
    assert values == near([1 / 3, 2 / 3, 1, 1, 1] + [0.1] * 3 + [0.01] * 2)


def test_constant_stays_after_the_warm_up():
    assert rates(8, schedule="constant", lr=0.4, warmup=0.375) == near([0.1, 0.2, 0.3] + [0.4] * 5)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_warm_up_the_first_step_has_the_full_rate(schedule):
    first, second, *_ = rates(20, schedule=schedule, lr=0.7, warmup=0.0)
    assert first == 0.7
    assert second < first or schedule in {"constant", "steps"}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_peak_is_the_first_step_after_the_warm_up(schedule):
    """A tenth of 40 steps is 4, also where the product is rounded."""
    values = rates(40, schedule=schedule, lr=1.0, warmup=0.1)
    assert values.index(max(values)) == 4
    assert values[4] == 1.0
    assert all(earlier < later for earlier, later in itertools.pairwise(values[:5]))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_training_of_no_or_one_step_has_a_rate(schedule):
    config = TrainConfig(schedule=schedule, lr=1.0)
    for total in (0, 1):
        assert 0 < learning_rate(config, 0, total) <= 1
