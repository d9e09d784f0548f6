"""Runs are set side by side only where that is honest, and every format says the same."""

import csv
import io
import json

import pytest

from experiments.compare import aims_of, compare
from experiments.metrics import KINDS, Metric
from experiments.store import Store
from experiments.tables import FORMATS, Number, Table, latex, markdown
from featherface.errors import ClaimFalseError, UsageError


@pytest.fixture
def pair(workspace, make_run):
    one = make_run(workspace, "v1", matches=True, seed=3)
    better = {"widerface.hard.ap": 0.6, "widerface.mean_ap": 0.7, "params.total": 256_000}
    two = make_run(
        workspace, "v2", matches=True, seed=9, metrics=better, parents=(one,), variant="v2"
    )
    return one, two


def test_deltas_intervals_and_probabilities(pair):
    found = compare(pair, resamples=100)
    hard = found.row("widerface.hard.ap")
    assert hard.deltas[1].value == pytest.approx(0.05)
    assert hard.deltas[0] is None
    assert hard.intervals[0].low < hard.intervals[0].high
    assert 0 <= hard.deltas[1].probability <= 1
    assert found.row("params.total").deltas[1].interval is None
    assert found.row("widerface.easy.ap").metrics[1] is None
    assert [row.name for row in found.rows] == [
        name for name in KINDS if name in {row.name for row in found.rows}
    ]


def test_recipe_differences_are_listed(pair):
    recipe = compare(pair, resamples=0).recipe
    assert recipe["model.variant"] == ("v1", "v2")
    assert "train.lr" not in recipe


def test_aims_stand_beside_but_their_ap_only_where_comparable(workspace, make_run, pair):
    aims = aims_of(pair, workspace.cited)
    assert [one.name for one in aims] == ["v1-plan", "v2-plan"]
    found = compare(pair, references=aims, resamples=0)
    assert found.row("params.total").references[1].value == 256_000
    assert found.row("widerface.hard.ap").references == (None, None)
    about = {"dataset": "widerface", "n": 3226}
    real = [make_run(workspace, name, **about) for name in ("v1", "v2")]
    assert compare(real, references=aims).row("widerface.hard.ap").references[1].value == 0.82


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"dataset": "widerface", "n": 3226}, "on synthetic, v1@2 on WIDER FACE"),
        ({"protocol": "vga"}, "protocol original, v1@2 by vga"),
        ({"split": "train"}, "split val, v1@2 on train"),
        ({"complete": False}, "only one of v1@1 and v1@2"),
        ({"n": 34}, "on 80 images, v1@2 on 34"),
    ],
)
def test_mixing_is_refused_unless_forced(workspace, make_run, about, message):
    runs = [make_run(workspace, "v1"), make_run(workspace, "v1", **about)]
    with pytest.raises(UsageError) as caught:
        compare(runs)
    assert message in caught.value.message
    assert "--force" in caught.value.hint
    forced = compare(runs, force=True)
    assert message in forced.notes[0].text()
    assert forced.bootstrap is None
    assert forced.row("widerface.hard.ap").deltas == (None, None)
    assert forced.row("params.total").deltas[1].value == 0


def test_changed_and_unfinished_records_are_refused(workspace, make_run, pair):
    with pytest.raises(UsageError, match="two runs or more"):
        compare(pair[:1])
    broken = make_run(workspace, "v1", status="interrupted")
    with pytest.raises(ClaimFalseError, match="v1@2 is interrupted"):
        compare([pair[0], broken])
    (pair[1].folder / "results.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ClaimFalseError, match="the sealed record of v2@1 was changed"):
        compare(pair, store=Store(workspace))


def test_notes_say_what_a_reader_must_know(workspace, make_run, pair):
    found = compare(pair, resamples=10)
    assert "not a WIDER FACE result" in found.notes[0].text()
    assert "ce n'est pas un résultat WIDER FACE" in found.notes[0].text("fr")
    assert found.notes[1].text() == "Latency: 640×640, batch 1, 2 threads"
    assert "10 paired resamples of the 80 images (seed 0)" in found.notes[2].text()
    part = {"dataset": "widerface", "n": 34, "complete": False}
    partial = compare([make_run(workspace, "a", **part), make_run(workspace, "b", **part)])
    assert partial.notes[0].text().startswith("34 images, not a WIDER FACE result")


def test_every_format_holds_the_numbers(pair):
    found = compare(pair, resamples=50)
    table = found.table("en")
    assert "| AP Hard " in markdown(table)
    assert "55.0%" in markdown(table)
    assert "55,0\u00a0%" in markdown(found.table("fr"), "fr")
    text = latex(table)
    assert r"\toprule" in text
    assert r"\num{55.0}\,\%" in text
    assert r"\num{488664}" in text
    assert text.splitlines()[0] == f"% provenance: v1@1 seal {pair[0].seal}"
    rows = list(csv.reader(io.StringIO(FORMATS["csv"](table, "en"))))
    hard = next(row for row in rows if row[0] == "AP Hard")
    assert float(hard[1]) == 0.55
    assert len({len(row) for row in rows}) == 1
    values = json.loads(FORMATS["json"](table, "en"))
    assert values["columns"] == ["Metric", "v1@1", "v2@1", "Δ v2@1 − v1@1"]
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    hard = next(row for row in plain["rows"] if row["metric"] == "widerface.hard.ap")
    assert hard["values"]["v2@1"]["delta"]["value"] == pytest.approx(0.05)


def test_hostile_text_stays_a_cell():
    row = ("50% of $x_1$ & {y} \\ ~^#", Number(1234.5, ",.1f"), "a|b\nc")
    table = Table("A & B", ("x", "y", "z"), (row, ("", None, "")), provenance=("a\nb",))
    assert markdown(table).count("\n") == 4
    assert "a\\|b c" in markdown(table)
    text = latex(table)
    assert r"50\% of \$x\_1\$ \& \{y\} \textbackslash{}" in text
    assert "% provenance: a b\n" in text
    assert r"\num{1234.5}" in text


def test_latencies_of_different_settings_get_no_difference(workspace, make_run):
    settings = {"v1": "640×640, batch 1, 2 threads", "v2": "320×320, batch 1, 2 threads"}
    runs = [
        make_run(
            workspace,
            name,
            metrics=[
                Metric(name="latency.cpu.median_ms", value=9.0, unit="ms", protocol=setting),
                Metric(name="params.total", value=1000.0, unit="parameters"),
            ],
        )
        for name, setting in settings.items()
    ]
    found = compare(runs)
    assert found.row("latency.cpu.median_ms").deltas == (None, None)
    assert found.row("params.total").deltas[1].value == 0
    assert any("different settings" in note.text() for note in found.notes)
