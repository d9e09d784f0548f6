"""A selector means the latest of the runs that measured most widely; the rest is told."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.metrics import Metric
from experiments.records import selection
from experiments.records.selection import REASONS, Scope, scope
from experiments.records.store import Store
from featherface.errors import RefusedError

AP = "widerface.mean_ap"
FIELDS = [field.name for field in dataclasses.fields(Scope)]


def ids(notes):
    return [(note.code, note.values["run"]) for note in notes]


def metric(value=0.5, **changes):
    given = {"dataset": "widerface", "split": "val", "n": 60, "unit": "fraction", **changes}
    return Metric(name=AP, value=value, **given)


LESSER = {
    "tagged": {"tags": ("smoke",)},
    "imported": {"metrics": [metric(evidence="imported", maker="YOLO")]},
    "unmeasured": {"metrics": {"params.total": 5}},
    "synthetic": {"metrics": [metric(dataset="synthetic", n=5000)]},
    "disturbed": {"metrics": [metric(marks=("disturbed",))]},
    "trained_on": {"metrics": [metric(split="train", n=12_880)]},
    "images": {"metrics": [metric(0.922, n=48)]},
    "partial": {"metrics": [metric(complete=False)]},
}


@pytest.mark.parametrize("code", REASONS)
def test_what_measured_less_is_passed_over_and_said(workspace, make_run, code):
    make_run(workspace, "v2", metrics=[metric(0.908)])
    make_run(workspace, "v2", **{"metrics": [metric(0.922)], **LESSER[code]})
    chosen = Store(workspace).select("v2")
    assert chosen.run.id == "v2@1"
    assert ids(chosen.passed_over) == [(code, "v2@2")]
    for language in ("en", "fr"):
        assert "v2@2" in chosen.passed_over[0].text(language)


def test_a_selector_that_names_a_run_means_it_whatever_it_measured(workspace, make_run):
    make_run(workspace, "v2", metrics=[metric()])
    narrow = make_run(workspace, "v2", metrics=[metric(n=3)], labels=("mine",))
    store = Store(workspace)
    for selector in ("v2@2", "v2@last", "@last", "mine"):
        assert store.find(selector) == narrow
        assert store.select(selector).notes == ()


def test_as_wide_again_means_the_latest_and_nothing_is_said(workspace, make_run):
    make_run(workspace, "v2", metrics=[metric(0.9)])
    make_run(workspace, "v2", metrics=[metric(0.8)])
    chosen = Store(workspace).select("v2")
    assert (chosen.run.id, chosen.notes) == ("v2@2", ())


def test_the_best_is_told_out_of_how_many_it_was_chosen(workspace, make_run):
    for value, images in ((0.8, 60), (0.9, 60), (0.7, 60), (0.99, 48)):
        make_run(workspace, "v2", metrics=[metric(value, n=images)])
    make_run(workspace, "v2", metrics=[metric(0.99)], tags=("demo",))
    chosen = Store(workspace).select("v2@best")
    assert (chosen.run.id, chosen.chosen_from) == ("v2@2", 3)
    assert "the best of 3 versions" in chosen.notes[0].text()


def test_trials_are_no_results_but_can_be_named(workspace, make_run):
    make_run(workspace, "smoke", metrics=[metric()], tags=("smoke",))
    store = Store(workspace)
    for selector in ("smoke", "smoke@best"):
        with pytest.raises(RefusedError, match="tagged smoke") as caught:
            selection.refuse_tagged(store.select(selector), store.experiments())
        assert "smoke@1" in caught.value.hint
    selection.refuse_tagged(store.select("smoke@1"), store.experiments())


versions = st.lists(
    st.builds(
        Scope,
        **{name: st.integers(0, 3) if name == "images" else st.booleans() for name in FIELDS},
    ),
    min_size=1,
    max_size=6,
)


class PretendRun:
    """A finished run of a given scope."""

    def __init__(self, version, known):
        self.version, self.id, self.sealed = version, f"v2@{version}", True
        self.tags = () if known.serious else ("smoke",)
        self.primary = None
        if known.measured:
            self.primary = metric(
                dataset="widerface" if known.real else "synthetic",
                n=known.images,
                complete=known.complete,
                split="val" if known.held_out else "train",
                evidence="measured" if known.own else "imported",
                marks=() if known.undisturbed else ("disturbed",),
            )
        self.metrics = [] if self.primary is None else [self.primary]


@given(versions)
def test_narrower_never_replaces_wider_and_later_ones_are_each_told(scopes):
    runs = [PretendRun(version, known) for version, known in enumerate(scopes, 1)]
    chosen = selection.latest("v2", runs)
    widest = scope(chosen.run)
    assert all(scope(run) <= widest for run in runs)
    assert all(scope(run) < widest for run in runs if run.version > chosen.run.version)
    later = [run.id for run in runs if run.version > chosen.run.version]
    assert [note.values["run"] for note in chosen.passed_over] == later


@given(versions, versions)
def test_adding_narrower_runs_changes_no_choice(scopes, more):
    runs = [PretendRun(version, known) for version, known in enumerate(scopes, 1)]
    before = selection.latest("v2", runs).run
    added = [PretendRun(len(runs) + place, known) for place, known in enumerate(more, 1)]
    narrower = [run for run in added if scope(run) < scope(before)]
    assert selection.latest("v2", [*runs, *narrower]).run == before
