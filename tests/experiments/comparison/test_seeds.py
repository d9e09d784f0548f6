"""Seeds are told apart from images, one by one while they are few."""

import math
from statistics import fmean, stdev

import pytest
from scipy import stats

from experiments.comparison.compare import compare
from experiments.comparison.seed_statistics import seed_groups, spread
from experiments.comparison.tables import seeds_table, tables
from experiments.records.store import Store

HARD = "widerface.hard.ap"


def trainings(workspace, make_run, name, values, **about):
    return [
        make_run(
            workspace, name, seed=seed, metrics={HARD: value}, events=False, plots=False, **about
        )
        for seed, value in enumerate(values)
    ]


def test_few_seeds_are_printed_and_nothing_is_claimed(workspace, make_run):
    ones = trainings(workspace, make_run, "v1", [0.5, 0.52, 0.51])
    (two,) = trainings(workspace, make_run, "v2", [0.6], variant="v2")
    found = compare([ones[-1], two], store=Store(workspace), resamples=0)
    assert [[run.id for run in group.runs] for group in found.seeds] == [
        ["v1@1", "v1@2", "v1@3"],
        ["v2@1"],
    ]
    assert found.seeds[0].summary(HARD) is None
    assert found.to_json()["seeds"][0]["means"] == {}
    shown = seeds_table(found)
    assert [row[:3] for row in shown.rows] == [
        ("v1", "0", "v1@1"),
        ("v1", "1", "v1@2"),
        ("v1", "2", "v1@3"),
        ("v2", "0", "v2@1"),
    ]
    assert "nothing is claimed over seeds" in shown.notes[0]
    assert len(tables(found)) == 2


def test_five_seeds_have_a_mean_with_students_interval(workspace, make_run):
    values = [0.5, 0.52, 0.51, 0.49, 0.53]
    ones = trainings(workspace, make_run, "v1", values)
    other = [0.6, 0.61, 0.63, 0.58, 0.6, 0.62]
    twos = trainings(workspace, make_run, "v2", other, variant="v2")
    found = compare([ones[0], twos[0]], store=Store(workspace), resamples=0)
    spread = found.seeds[0].summary(HARD)
    assert spread.mean == pytest.approx(fmean(values))
    assert spread.deviation == pytest.approx(stdev(values))
    low, high = stats.t.interval(0.95, 4, fmean(values), stdev(values) / math.sqrt(5))
    assert (spread.low, spread.high) == pytest.approx((low, high))
    welch_difference = found.seeds[1].mean_difference(found.seeds[0], HARD)
    welch = stats.ttest_ind(other, values, equal_var=False).confidence_interval()
    assert (welch_difference.low, welch_difference.high) == pytest.approx((welch.low, welch.high))
    notes = seeds_table(found, "fr").notes
    assert any(
        "moyenne sur les graines de v2 moins celle de v1\u202f: +9,7" in one for one in notes
    )


def test_other_recipes_and_data_are_other_trainings(workspace, make_run):
    first = make_run(workspace, "v1", seed=0)
    make_run(workspace, "v1", seed=1, recipe={"train.lr": 0.01})
    make_run(workspace, "v1", seed=2, n=34)
    make_run(workspace, "v1", seed=3, status="interrupted")
    changed = make_run(workspace, "v1", seed=4)
    (changed.folder / "results.json").write_text("{}", encoding="utf-8")
    broken = make_run(workspace, "v1", seed=5)
    (broken.folder / "record.json").write_text("{", encoding="utf-8")
    again = make_run(workspace, "v1", seed=0)
    (group,) = seed_groups([again], Store(workspace))
    assert group.runs == (again,)
    (group,) = seed_groups([first], None)
    assert group.runs == (first,)


def test_differences_over_seeds_are_tested_as_students_t_does():
    differences = [-0.01, -0.03, -0.02, -0.04, -0.015]
    found = spread(differences)
    test = stats.ttest_1samp(differences, 0)
    assert found.p == pytest.approx(test.pvalue)
    interval = test.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert spread(differences[:4]) is None


def test_the_same_difference_with_every_seed_is_certain():
    assert spread([0.01] * 5).p == 0
    assert spread([0.0] * 5).p == 1
