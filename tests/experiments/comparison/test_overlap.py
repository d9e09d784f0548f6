"""AP on a network's own training pictures is shown with its mark, and compared with nothing."""

import pytest

from experiments.comparison.compare import compare
from experiments.comparison.result import REASONS
from experiments.comparison.table import lines
from experiments.comparison.tables import metrics_table, seeds_table
from experiments.metrics import MARKS, Metric
from experiments.wording.formats import FORMATS
from experiments.wording.phrases import say
from experiments.wording.tables import plain

HARD = "widerface.hard.ap"


@pytest.fixture
def evaluated(workspace, make_run):
    """Write a run with match records, its AP marked or not."""

    def make(name, value, marks=(), **options):
        metric = Metric(
            name=HARD,
            value=value,
            unit="fraction",
            dataset="widerface",
            split="val",
            n=80,
            complete=False,
            fingerprint="f" * 64,
            marks=marks,
        )
        return make_run(workspace, name, metrics=[metric], matches=True, **options)

    return make


def test_every_mark_has_a_reason_and_words_in_both_languages():
    assert set(MARKS) <= set(REASONS)
    assert all(say(f"mark.{mark}", language) for mark in MARKS for language in ("en", "fr"))


def test_an_ap_on_training_pictures_has_no_difference_and_the_reason_is_told(evaluated):
    comparison = compare([evaluated("v1", 0.9, ("overlap",)), evaluated("v2", 0.8)])
    rows = comparison.to_json()["rows"]
    (difference,) = lines(rows, ["v1@1", "v2@1"])[0].differences
    assert (difference.number, difference.chance, difference.reason) == (None, None, "overlap")
    assert comparison.rows[0].intervals[0] is None
    told = " ".join(note.text() for note in comparison.notes)
    assert "compared with nothing: v1@1" in told
    assert "Holm" not in told
    french = " ".join(note.text("fr") for note in comparison.notes)
    assert "images de leur entraînement" in french


@pytest.mark.parametrize(
    ("language", "mark"),
    [("en", "on its training pictures"), ("fr", "sur ses images d'entraînement")],
)
def test_every_table_shows_that_pictures_were_trained_on(evaluated, language, mark):
    table = metrics_table(
        compare([evaluated("v1", 0.9, ("overlap",)), evaluated("v2", 0.8)]), language
    )
    assert f"({mark})" in plain(table.rows[0][1], language)
    for name in ("md", "latex", "csv"):
        assert FORMATS[name](table, language).count(mark) == 1, name


def test_means_over_seeds_on_training_pictures_are_marked_and_have_no_difference(
    workspace, evaluated
):
    from experiments.records.store import Store  # noqa: PLC0415 - one test needs it

    for seed in range(5):
        evaluated("v1", 0.9 - seed / 100, ("overlap",), seed=seed)
        evaluated("v2", 0.8 - seed / 100, seed=seed)
    store = Store(workspace)
    comparison = compare([store.find("v1"), store.find("v2")], store=store)
    table = seeds_table(comparison, "en")
    marked = [row for row in table.rows if "training pictures" in plain(row[3], "en")]
    assert [row[0] for row in marked] == ["v1"] * 6
    assert comparison.seeds[1].mean_difference(comparison.seeds[0], HARD) is None
