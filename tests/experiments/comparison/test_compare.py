"""Runs are set side by side only where that is honest, and every format says the same."""

import csv
import io
import json
import shutil
import subprocess

import pypandoc
import pytest

from experiments.comparison.compare import compare, published_for, targets_of
from experiments.comparison.table import lines
from experiments.comparison.tables import metrics_table, settings_table, tables
from experiments.earlier_conditions import from_text
from experiments.metrics import KINDS, Metric
from experiments.records.store import Store
from experiments.wording.formats import FORMATS, markdown
from experiments.wording.latex import latex
from experiments.wording.tables import NumberCell, Table
from featherface.errors import ClaimFalseError, UsageError


@pytest.fixture
def pair(workspace, make_run):
    first = make_run(workspace, "v1", matches=True, seed=3)
    better = {"widerface.hard.ap": 0.6, "widerface.mean_ap": 0.7, "params.total": 256_000}
    second = make_run(
        workspace, "v2", matches=True, seed=9, metrics=better, parents=(first,), variant="v2"
    )
    return first, second


def test_deltas_intervals_and_probabilities(pair):
    comparison = compare(pair, resamples=100)
    hard = comparison.row("widerface.hard.ap")
    assert hard.deltas[1].value == pytest.approx(0.05)
    assert hard.deltas[0] is None
    assert hard.intervals[0].low < hard.intervals[0].high
    assert 0 <= hard.deltas[1].probability <= 1
    assert comparison.row("params.total").deltas[1].interval is None
    assert comparison.row("widerface.easy.ap").metrics[1] is None
    assert [row.name for row in comparison.rows] == [
        name for name in KINDS if name in {row.name for row in comparison.rows}
    ]


def test_recipe_differences_are_listed(pair):
    recipe = compare(pair, resamples=0).recipe
    assert recipe["model.variant"] == ("v1", "v2")
    assert "train.lr" not in recipe


def test_aims_stand_beside_but_their_ap_only_where_comparable(workspace, make_run, pair):
    targets = targets_of(pair, workspace.cited)
    assert [target.name for target in targets] == ["v1-plan", "v2-plan"]
    comparison = compare(pair, references=targets, resamples=0)
    assert comparison.row("params.total").references[1].value == 256_000
    assert comparison.row("widerface.hard.ap").references == (None, None)
    about = {"dataset": "widerface", "n": 3226}
    real = [make_run(workspace, name, **about) for name in ("v1", "v2")]
    assert compare(real, references=targets).row("widerface.hard.ap").references[1].value == 0.82


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
    comparison = compare(pair, resamples=10)
    assert "not a WIDER FACE result" in comparison.notes[0].text()
    assert "ce n'est pas un résultat WIDER FACE" in comparison.notes[0].text("fr")
    assert comparison.notes[1].text() == "Latency: 640×640, batch 1, 2 threads"
    notes = [note.text() for note in comparison.notes]
    assert any("10 paired resamples of the 80 images (seed 0)" in note for note in notes)
    assert any("too few for 2 corrected differences" in note for note in notes)
    assert any("How sure 80 images are" in note for note in notes)
    assert any("One training seed per run" in note for note in notes)
    part = {"dataset": "widerface", "n": 34, "complete": False}
    partial = compare([make_run(workspace, "a", **part), make_run(workspace, "b", **part)])
    assert partial.notes[0].text().startswith("34 images, not a WIDER FACE result")


def test_every_format_holds_the_numbers(pair):
    comparison = compare(pair, resamples=50)
    table = metrics_table(comparison)
    assert "| AP Hard " in markdown(table)
    assert "55.0%" in markdown(table)
    assert "55,0\u202f%" in markdown(metrics_table(comparison, "fr"), "fr")
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
    assert values["columns"] == ["Metric", "v1@1", "v2@1", "Δ v2@1 − v1@1", "P(v2@1 > v1@1)"]
    plain = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    hard = next(row for row in plain["rows"] if row["metric"] == "widerface.hard.ap")
    assert hard["values"]["v2@1"]["delta"]["value"] == pytest.approx(0.05)


def test_csv_keeps_every_digit():
    third = NumberCell(1 / 3, ".1%", low=0.1234567890123456, high=2 / 3)
    text = FORMATS["csv"](Table("A", ("run", "AP"), (("v1", third),)), "fr")
    assert list(csv.reader(io.StringIO(text))) == [
        ["run", "AP", "AP low", "AP high"],
        ["v1", "0.3333333333333333", "0.1234567890123456", "0.6666666666666666"],
    ]


def test_hostile_text_stays_a_cell():
    row = ("50% of $x_1$ & {y} \\ ~^#", NumberCell(1234.5, ",.1f"), "a|b\nc")
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
                Metric(
                    name="latency.cpu.median_ms",
                    value=9.0,
                    unit="ms",
                    conditions=from_text(setting),
                ),
                Metric(name="params.total", value=1000.0, unit="parameters"),
            ],
        )
        for name, setting in settings.items()
    ]
    comparison = compare(runs)
    assert comparison.row("latency.cpu.median_ms").deltas == (None, None)
    assert comparison.row("params.total").deltas[1].value == 0
    latency, parameters = lines(comparison.to_json()["rows"], [run.id for run in runs])[::-1]
    assert latency.differences[0].reason == "conditions"
    assert latency.differences[0].number is None
    assert (parameters.differences[0].number, parameters.differences[0].reason) == (0, "")
    assert any("different settings" in note.text() for note in comparison.notes)


def test_a_cost_has_its_share_of_the_first_runs_and_ap_has_none(workspace, make_run, pair):
    third = make_run(workspace, "v3", metrics={"widerface.hard.ap": 0.4, "params.total": 300_000})
    runs = [*pair, third]
    table = lines(compare(runs, resamples=0).to_json()["rows"], [run.id for run in runs])
    of_metric = {line.metric: line.differences for line in table}
    parameters = of_metric["params.total"]
    assert [difference.number for difference in parameters] == [-232_664, -188_664]
    assert [difference.share for difference in parameters] == pytest.approx(
        [-232_664 / 488_664, -188_664 / 488_664]
    )
    assert [difference.share for difference in of_metric["widerface.hard.ap"]] == [None, None]


def aps(better):
    """Return the APs of the usual run, each BETTER by so much."""
    values = {"easy.ap": 0.71, "medium.ap": 0.66, "hard.ap": 0.55, "mean_ap": 0.64}
    return {f"widerface.{name}": value + better for name, value in values.items()}


def test_a_difference_is_established_only_after_the_correction(workspace, make_run):
    runs = [make_run(workspace, "v1", matches=True, seed=0)]
    runs += [
        make_run(workspace, "v2", matches=True, seed=seed, metrics=aps(better))
        for seed, better in ((3, 0.0), (5, 0.006), (9, 0.03))
    ]
    comparison = compare(runs, resamples=1999)
    deltas = [
        delta
        for row in comparison.rows
        for delta in row.deltas[1:]
        if delta and delta.p is not None
    ]
    assert len(deltas) == 12
    assert all(delta.holm >= delta.p for delta in deltas)
    assert all(delta.established == (delta.holm <= 0.05) for delta in deltas)
    table = lines(comparison.to_json()["rows"], [run.id for run in runs])
    marks = [
        difference.mark
        for line in table
        for difference in line.differences
        if difference.chance is not None
    ]
    assert marks == [
        "*"
        if delta.established
        else "†"
        if delta.interval.low > 0 or delta.interval.high < 0
        else ""
        for delta in deltas
    ]
    assert set(marks) == {"", "*", "†"}
    value = comparison.to_json()["rows"][0]["values"]["v2@1"]["delta"]
    assert value["established"] == (value["holm"] <= 0.05)


def test_what_was_published_of_a_network_stands_beside(workspace, make_run):
    about = {"dataset": "widerface", "n": 3226}
    runs = [make_run(workspace, name, variant=name, **about) for name in ("v1-official", "v1")]
    cited = published_for(runs, workspace.cited)
    assert [result.name for result in cited] == ["featherface-paper", "featherface-published-code"]
    shown = metrics_table(compare(runs, references=cited))
    assert "FeatherFace (paper) [cited]" in shown.columns
    part = [make_run(workspace, name, dataset="widerface", n=34, complete=False) for name in "ab"]
    comparison = compare(part, references=cited)
    assert comparison.row("widerface.hard.ap").references == (None, None)
    assert any(
        "AP of cited or planned results is left out" in note.text() for note in comparison.notes
    )


def test_settings_are_a_table_of_their_own(pair):
    comparison = compare(pair, resamples=0)
    rows = {row[0]: row[1:] for row in settings_table(comparison).rows}
    assert rows["model.variant"] == ("v1", "v2")
    assert rows["distill.teacher"] == ("–", "v1@1")
    assert "title" not in rows
    assert [table.title for table in tables(comparison)] == ["Comparison of v1@1, v2@1"]
    assert tables(comparison, settings=True)[-1].title == "Settings that differ"


def test_latex_is_read_as_a_table(pair):
    metrics = metrics_table(compare(pair, resamples=50))
    text = latex(metrics)
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert len(rows) == len(metrics.rows) + 1
    assert all(line.count(" & ") == len(metrics.columns) - 1 for line in rows)
    document = json.loads(pypandoc.convert_text(text, "json", "latex"))
    (table,) = [block for block in document["blocks"] if block["t"] == "Table"]
    _, caption, columns, _, bodies, _ = table["c"]
    assert "Comparison" in json.dumps(caption)
    assert len(columns) == len(metrics.columns)
    assert len(bodies[0][3]) == len(metrics.rows)
    rendered = pypandoc.convert_text(text, "plain", "latex", extra_args=["--columns=400"])
    assert "AP Hard" in rendered
    assert "55.0" in rendered  # siunitx's numbers arrive
    assert "num" not in rendered
    assert "* differs" in rendered


BROAD = Table(
    "A broad table",
    ("Metric", "a@1", "b@1", "Δ b@1 − a@1", "P(b@1 > a@1)", "FeatherFace (paper) [cited]", "goal"),
    (
        (
            "AP Hard",
            *(NumberCell(0.5, ".1%", 0.4, 0.6) for _ in range(2)),
            NumberCell(2.5, "+.1f", -1.0, 6.0, "*"),
            *(NumberCell(0.9, ".1%") for _ in range(3)),
        ),
    ),
    notes=("* differs; † does not",),
)


def test_a_broad_table_is_stacked_for_latex():
    text = latex(BROAD)
    stacked = r"\begin{tabular}[t]{@{}r@{}}\num{50.0}\,\%\\{}[\num{40.0}; \num{60.0}]\end{tabular}"
    assert stacked in text
    assert r"FeatherFace\\(paper) [cited]\end{tabular}" in text


@pytest.mark.external
@pytest.mark.parametrize("broad", [False, True])
def test_latex_sets_the_table_on_the_page(pair, tmp_path, broad):
    program, finder = shutil.which("pdflatex"), shutil.which("kpsewhich")
    if program is None or finder is None:
        pytest.skip("pdflatex is not installed")
    if not subprocess.run([finder, "siunitx.sty"], capture_output=True, check=False).stdout:
        pytest.skip("LaTeX's package siunitx is not installed")
    table = BROAD if broad else metrics_table(compare(pair, resamples=50))
    packages = r"\usepackage[a4paper,margin=2.5cm]{geometry}\usepackage{booktabs,siunitx}"
    text = rf"\documentclass{{article}}{packages}\begin{{document}}{latex(table)}\end{{document}}"
    (tmp_path / "table.tex").write_text(text, encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log
    assert (tmp_path / "table.pdf").is_file()
    assert "Overfull" not in log
