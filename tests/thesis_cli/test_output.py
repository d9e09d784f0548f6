"""What is printed: JSON that keeps everything, tables that fit."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.progress import Progress
from thesis_cli import output
from thesis_cli.grid import Grid, layout
from thesis_cli.progress import LineReporter, line, progress
from thesis_cli.session import Session

GRID = Grid(
    ["run", ">AP", "~note"],
    [["v1@1", "82.5 %", "a long sentence about what this run was meant to show in the end"]],
)


def shown(monkeypatch, width, **session):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    output.show(Session(stdout=stream, **session), GRID)
    return stream.getvalue()


@pytest.mark.parametrize("width", [200, 80, 40])
def test_a_table_fits_its_width(monkeypatch, width):
    assert max(map(len, shown(monkeypatch, width).splitlines())) <= width


def test_a_table_too_wide_becomes_lines(monkeypatch):
    text = shown(monkeypatch, 12)
    assert "AP: 82.5 %" in text


def test_beyond_a_terminal_nothing_is_cut(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    stream = io.StringIO()
    output.show(Session(stdout=stream), GRID)
    assert GRID.rows[0][2] in stream.getvalue()


@pytest.mark.parametrize(
    ("color", "variable", "colored"),
    [
        ("always", None, True),
        ("always", "1", True),
        ("auto", None, False),
        ("auto", "1", False),
        ("never", None, False),
    ],
)
def test_colours_follow_the_option_and_no_color(monkeypatch, color, variable, colored):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable:
        monkeypatch.setenv("NO_COLOR", variable)
    assert ("\x1b[" in shown(monkeypatch, 80, color=color)) is colored


@pytest.mark.parametrize(("variable", "colored"), [(None, True), ("", True), ("1", False)])
def test_a_terminal_has_colours_unless_no_color_is_set(monkeypatch, variable, colored):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable is not None:
        monkeypatch.setenv("NO_COLOR", variable)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    assert output.colored(Session(color="auto"), terminal) is colored


texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)


@given(st.lists(st.tuples(texts, texts, st.lists(texts).map(" ".join)), max_size=5))
def test_every_cell_can_be_read_at_any_width(rows):
    grid = Grid(["one", ">two", "~three"], rows)
    for width in (None, 200, 60, 20):
        text = layout(grid, width)
        for first, second, _ in rows:
            assert first in text
            assert second in text
        words = "".join(text.split())
        for row in rows:
            for word in row[2].split():
                assert width is not None or word in words


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(plain_values)
def test_the_envelope_keeps_data_whole(data):
    answer = json.loads(output.envelope("runs-list", data, []))
    assert answer == {"schema": "thesis/runs-list/1", "data": data, "warnings": []}


def test_the_envelope_tells_every_warning():
    answer = json.loads(output.envelope("runs-list", [], ["one", "two"]))
    assert answer["warnings"] == ["one", "two"]


def test_arrays_paths_and_missing_numbers_have_a_json_form():
    value = {"a": np.arange(2), "b": Path("x/y"), "c": math.nan, "d": np.float32(0.5), "e": (1, 2)}
    expected = {"a": [0, 1], "b": "x/y", "c": None, "d": 0.5, "e": [1, 2]}
    assert output.plain(value) == expected


def test_what_has_no_json_form_is_a_defect():
    with pytest.raises(TypeError, match="object"):
        output.plain(object())


def test_a_line_of_progress_has_rate_and_time_left():
    step = Progress("train", 40, 160, "batches", {"loss": 3.21987})
    expected = "train 40/160 batches, 8 batches/s, 0:15 left, loss 3.22"
    assert line(step, seconds=5, advanced=40) == expected


def test_beyond_a_terminal_progress_is_a_line_now_and_then(capsys):
    reporter = progress(Session())
    assert isinstance(reporter, LineReporter)
    with reporter:
        for done in range(1001):
            reporter(Progress("evaluate", done, 1000))
        reporter.say("sealed v1@1")
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines[-2].startswith("evaluate 1000/1000 images")
    assert lines[-1] == "sealed v1@1"
    assert len(lines) == 3


def test_bars_show_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    with progress(Session(color="always")) as reporter:
        for done in (0, 5, 10):
            reporter(Progress("train", done, 10, "batches", {"loss": 1.5}))
        reporter(Progress("train", 1, 10, "batches"))
        reporter.say("epoch 1 of 2")
    told = click.unstyle(capsys.readouterr().err)
    assert "10/10" in told
    assert "epoch 1 of 2" in told
