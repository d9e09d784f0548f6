"""`thesis detect --save`: files that other programs read."""

from __future__ import annotations

import json

import jsonschema
import pytest

from featherface.evaluation.predictions import read_predictions
from thesis_cli.commands.detection.saved_detections import SAVED_FORMATS
from thesis_cli.schemas import schemas


@pytest.fixture
def look(thesis, weights, small_set):
    def call(*options):
        images = small_set / "WIDER_val" / "images"
        return thesis("detect", images, "--variant", "v2", "--weights", weights, *options)

    return call


def test_wider_text_goes_through_the_evaluation(look, thesis, valid, weights, small_set, tmp_path):
    folder = tmp_path / "out"
    options = ("--save", folder, "--format", "wider", "--score", 0.02, "--json")
    data = valid(look(*options))
    back = read_predictions(folder)
    assert [len(rows) for rows in back.values()] == [len(row["faces"]) for row in data]
    judged = valid(
        thesis("eval", "widerface", "--predictions", folder, "--ground-truth", small_set, "--json")
    )
    assert judged["images"] == 4
    of_network = thesis(
        *("eval", "widerface", "--variant", "v2", "--weights", weights, "--json"),
        *("--images", small_set / "WIDER_val" / "images", "--ground-truth", small_set),
    )
    assert judged["subsets"] == valid(of_network)["subsets"]


def test_a_json_file_holds_what_json_prints(look, tmp_path):
    answer = look("--save", tmp_path / "faces.json", "--json")
    assert answer.code == 0
    saved = json.loads((tmp_path / "faces.json").read_text(encoding="utf-8"))
    assert saved == answer.json
    jsonschema.Draft202012Validator(schemas()["detect"]).validate(saved)


def test_json_lines_hold_a_line_for_each_picture(look, tmp_path):
    answer = look("--save", tmp_path / "faces.jsonl", "--json")
    lines = (tmp_path / "faces.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == answer.data


@pytest.mark.parametrize("name", ["wider", "coco-results"])
def test_a_file_to_be_judged_warns_of_the_scores_it_lacks(look, tmp_path, name):
    answer = look("--save", tmp_path / "out", "--format", name)
    assert answer.code == 0
    assert "to evaluate, write them too: --score 0.02" in answer.err
    (tmp_path / "again").mkdir()
    whole = look("--save", tmp_path / "again" / "out", "--format", name, "--score", 0.02)
    assert "are left out of" not in whole.err


def test_a_name_that_tells_no_format_is_asked_for_one(look, tmp_path):
    answer = look("--save", tmp_path / "faces")
    assert answer.code == 2
    assert all(name in answer.err for name in SAVED_FORMATS)


def test_options_that_do_nothing_together_are_refused(look, tmp_path):
    assert "add --save PATH" in look("--format", "coco").err
    assert "add --save PATH" in look("--ids-from", tmp_path / "truth.json").err
    answer = look("--save", tmp_path / "a.json", "--ids-from", tmp_path / "truth.json")
    assert answer.code == 2
    assert "--format coco-results" in answer.err


def test_what_cannot_be_written_is_told_before_the_work(look, tmp_path, workspace, make_run):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    refused = [
        (tmp_path, "json", "is a folder"),
        (tmp_path / "file", "wider", "is a file; wider writes a folder"),
        (tmp_path / "file" / "faces.json", "json", "is no folder that you may write to"),
    ]
    for path, name, said in refused:
        answer = look("--save", path, "--format", name)
        assert answer.code in (2, 4)
        assert said in answer.err
    run = make_run(workspace, "v1")
    answer = look("--save", run.folder / "faces.json")
    assert answer.code == 2
    assert "--save" in answer.err
    assert "sealed record" in answer.err
