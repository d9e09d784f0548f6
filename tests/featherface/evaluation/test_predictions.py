from __future__ import annotations

import re
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.errors import DataError, UnavailableError, UsageError
from featherface.evaluation.predictions import (
    read_prediction,
    read_predictions,
    write_prediction,
)

GOOD = "a\n2\n1 2 3 4 0.9\n5 6 7 8 0.5\n"
TABLE = [[1, 2, 3, 4, 0.9], [5, 6, 7, 8, 0.5]]
finite = st.floats(allow_nan=False, allow_infinity=False)


def put(folder, content, name="a", event="0--Parade"):
    file = folder / event / f"{name}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return file


@given(st.lists(st.lists(finite, min_size=5, max_size=5), max_size=6))
def test_what_is_written_is_read_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("predictions")
    table = np.array(rows, dtype=float).reshape(-1, 5)
    file = write_prediction(folder, "0--Parade/a.jpg", table)
    again = read_predictions(folder)
    assert list(again) == ["0--Parade/a"]
    assert np.array_equal(again["0--Parade/a"], table)
    assert np.array_equal(read_prediction(file), table)
    assert again.warnings == ()


def test_whole_numbers_are_written_as_the_original_does(tmp_path):
    file = write_prediction(tmp_path, "e/a.jpg", np.array([[1, -2, 3, 4, 0.25]]))
    assert file.read_bytes() == b"a\n1\n1 -2 3 4 0.25\n"


@pytest.mark.parametrize("name", ["../a", "e/../../a", "/a/b", "C:/a"])
def test_names_cannot_leave_the_folder(tmp_path, name):
    with pytest.raises(UsageError, match="outside the predictions folder"):
        write_prediction(tmp_path, name, np.empty((0, 5)))


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", " \n"),
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        GOOD.replace("0.9\n", "0.9\n\n"),
        GOOD.replace("a\n", "a.jpg\n", 1),
        GOOD.replace("a\n", "0--Parade/a.jpg\n", 1),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("1 2", "1.0\t2"),
    ],
)
def test_harmless_variations_are_read(tmp_path, content):
    put(tmp_path, content)
    predictions = read_predictions(tmp_path)
    assert predictions["0--Parade/a"].tolist() == TABLE
    assert predictions.warnings == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"a\.txt: cut short"),
        ("a\n", r"a\.txt: cut short"),
        ("a\n3\n1 2 3 4 0.9\n", r"a\.txt: cut short, 3 detections told but 1 there"),
        ("a\n1\n\n\n", r"a\.txt: cut short, 1 detections told but 0 there"),
        ("a\n2\n1 2 3 4 0.9\n5 6 7\n", r"a\.txt:4: 3 numbers where 5 belong"),
        ("a\n2\n1 2 3 4 0.9\n\n5 6 7\n", r"a\.txt:5: 3 numbers where 5 belong"),
        ("a\n1\n1 2 3 4 5 6\n", r"a\.txt:3: 6 numbers where 5 belong"),
        ("a\n2\n1 2 3 4 0.9\n1 2 3 4 nan\n", r"a\.txt:4: 'nan' is no finite number"),
        ("a\n1\n1 2 inf 4 0.9\n", r"a\.txt:3: 'inf' is no finite number"),
        ("a\n1\n1 2 x 4 0.9\n", r"a\.txt:3: 'x' is no finite number"),
        ("a\n1\n1 2 3 4 0,9\n", r"a\.txt:3: '0,9' is no finite number"),
        ("a\n-1\n", r"a\.txt:2: '-1' is no count"),
        ("1 2 3 4 0.9\n5 6 7 8 0.5\n", r"a\.txt:2: '5 6 7 8 0.5' is no count"),
        (b"\xff\xfe\x00\x01\n\x00\n", r"a\.txt:2: .* is no count"),
    ],
)
def test_malformed_files_are_named_with_their_line(tmp_path, content, message):
    put(tmp_path, GOOD, name="good")
    put(tmp_path, content)
    with pytest.raises(DataError, match=message):
        read_predictions(tmp_path)


def test_oddities_are_counted(tmp_path):
    put(tmp_path, "other\n0\n")
    put(tmp_path, "b\n1\n1 2 3 4 0.9\n5 6 7 8 0.5\n", name="b")
    predictions = read_predictions(tmp_path)
    assert len(predictions["0--Parade/b"]) == 2
    first, second = predictions.warnings
    assert re.fullmatch(r"prediction files that name another picture .*: 1", first)
    assert re.fullmatch(r"prediction files that hold more detections .*: 1", second)


def test_folders_around_the_events_are_skipped(tmp_path):
    put(tmp_path / "results" / "mine", GOOD)
    assert list(read_predictions(tmp_path)) == ["0--Parade/a"]


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_archives_are_read_without_unpacking(tmp_path, suffix):
    put(tmp_path / "set" / "mine", GOOD)
    archive = tmp_path / f"mine{suffix}"
    with tarfile.open(archive, "w:gz" if suffix == ".tar.gz" else "w") as file:
        file.add(tmp_path / "set" / "mine", "mine")
    assert read_predictions(archive)["0--Parade/a"].tolist() == TABLE


def test_two_sets_in_one_folder_are_refused(tmp_path):
    put(tmp_path / "v1", GOOD)
    put(tmp_path / "v2", GOOD)
    with pytest.raises(DataError, match=r"two files for 0--Parade/a: v1/.* and v2/"):
        read_predictions(tmp_path)


def test_files_outside_event_folders_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text(GOOD, encoding="utf-8")
    with pytest.raises(DataError, match="lies in no event folder"):
        read_predictions(tmp_path)


@pytest.mark.parametrize("kind", ["missing", "empty", "damaged archive"])
def test_no_predictions_is_an_error(tmp_path, kind):
    path = tmp_path / "here"
    if kind == "empty":
        path.mkdir()
    if kind == "damaged archive":
        path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="here"):
        read_predictions(path)


def test_a_folder_in_the_way_of_a_file_is_told(tmp_path):
    (tmp_path / "e").write_text("in the way", encoding="utf-8")
    with pytest.raises(UnavailableError, match="can't write"):
        write_prediction(tmp_path, "e/a", np.empty((0, 5)))
