"""Times are compared where the machine was left alone; only turns give ratios with intervals."""

import pytest

from experiments.comparison.compare import compare
from experiments.comparison.table import lines
from experiments.comparison.tables import metrics_table
from experiments.conditions import Conditions
from experiments.metrics import Metric, kind, ratio_name
from experiments.wording.formats import FORMATS
from experiments.wording.tables import plain

LATENCY = "latency.cpu.median_ms"
BUSY = {"disturbances": [{"sign": "load", "amount": 0.85, "limit": 0.1}]}
CALM = {"disturbances": []}
ON = Conditions(
    sizes=((640, 640),), batch=1, threads=1, device="cpu", hardware="One", engine="torch"
)


@pytest.fixture
def timed(workspace, make_run):
    """Write a run with a latency, marked where the machine was busy; None: nobody watched it."""

    def make(name, value, circumstances, conditions=ON):
        marks = ("disturbed",) if circumstances and circumstances["disturbances"] else ()
        metric = Metric(
            name=LATENCY, value=value, unit="ms", n=20, marks=marks, conditions=conditions
        )
        known = {} if circumstances is None else {"circumstances": circumstances}
        return make_run(workspace, name, metrics=[metric], details={"benchmark": known})

    return make


def line(comparison):
    rows = comparison.to_json()["rows"]
    return lines(rows, [run.id for run in comparison.runs])[0]


def notes(comparison, language="en"):
    return " | ".join(note.text(language) for note in comparison.notes)


def test_a_disturbed_latency_has_no_difference_and_the_reason_is_told(timed):
    comparison = compare([timed("v1", 8871.0, BUSY), timed("v2", 46.0, CALM)])
    (difference,) = line(comparison).differences
    assert (difference.number, difference.share, difference.reason) == (None, None, "disturbed")
    told = notes(comparison)
    assert "v1@1 was taken on a machine that was not left alone (other programs wanted 85%" in told
    assert "thesis run v1@1 --stage benchmark --new" in told
    assert "servait à autre chose" in notes(comparison, "fr")


@pytest.mark.parametrize(("language", "mark"), [("en", "disturbed"), ("fr", "mesure perturbée")])
def test_every_table_shows_the_mark(timed, language, mark):
    comparison = compare([timed("v1", 8871.0, BUSY), timed("v2", 46.0, CALM)])
    table = metrics_table(comparison, language)
    assert f"({mark})" in plain(table.rows[0][1], language)
    assert mark not in plain(table.rows[0][2], language)
    for name in ("md", "latex", "csv"):
        assert FORMATS[name](table, language).count(mark) == 1, name


def test_separate_latencies_of_calm_machines_have_a_share_and_no_interval(timed):
    comparison = compare([timed("v1", 80.0, CALM), timed("v2", 40.0, CALM)])
    (difference,) = line(comparison).differences
    assert (difference.number, difference.share, difference.low) == (-40.0, -0.5, None)
    told = notes(comparison)
    assert "In turns: thesis benchmark v1@1 v2@1" in told
    assert "thesis run v2@1 --stage benchmark --new --set benchmark.beside=[v1@1]" in told
    assert "l'une après l'autre" in notes(comparison, "fr")


def test_an_earlier_record_does_not_tell_of_the_machine_so_no_share_is_given(timed):
    comparison = compare([timed("v1", 80.0, None), timed("v2", 40.0, CALM)])
    (difference,) = line(comparison).differences
    assert (difference.number, difference.share, difference.reason) == (-40.0, None, "")
    assert "does not tell whether the machine was left alone" in notes(comparison)
    assert "v1@1" in notes(comparison)


def test_latencies_of_two_machines_have_no_difference(timed):
    other = Conditions(**{**vars(ON), "hardware": "Another"})
    comparison = compare([timed("v1", 80.0, CALM), timed("v2", 40.0, CALM, other)])
    assert line(comparison).differences[0].reason == "conditions"
    assert "one after the other" not in notes(comparison)


def test_two_settings_of_one_machine_are_not_called_two_machines(timed):
    other = Conditions(**{**vars(ON), "batch": 4})
    told = notes(compare([timed("v1", 80.0, CALM), timed("v2", 40.0, CALM, other)]))
    assert "different settings" in told
    assert "different devices" not in told


def test_a_ratio_is_a_cost_with_a_title_in_both_languages():
    about = kind(ratio_name("cpu", "v1-official"))
    assert not about.higher_is_better
    assert about.english == "CPU latency, times v1-official's"
    assert about.french == "Latence CPU, rapportée à celle de v1-official"
