"""What two runs don't share in how they were made."""

import dataclasses
import json

from experiments.comparison.run_diff import PARTS, diff_runs
from experiments.records.record import Git
from experiments.staleness.source_digest import CODE, write_code


def test_every_part_is_told(workspace, make_run):
    one = make_run(workspace, "v1")
    other = make_run(
        workspace, "v2", parents=[one], dataset="widerface", recipe={"train.epochs": 9}
    )
    for run in (one, other):
        write_code(run.folder)
    kept = json.loads((other.folder / CODE).read_text(encoding="utf-8"))
    kept["files"]["boxes.py"] = ["other", "other"]
    (other.folder / CODE).write_text(json.dumps(kept), encoding="utf-8")
    (other.folder / "environment.txt").write_text("numpy==2.0.1\n", encoding="utf-8")
    changed = {"git": Git(commit="f" * 40), "hardware": {"cpu": "8 cores"}}
    other.record = dataclasses.replace(other.record, **changed)
    found = {(each.part, each.name): each.values for each in diff_runs(one, other)}
    assert {part for part, _ in found} == set(PARTS)
    assert found["recipe", "train.epochs"] == (5, 9)
    assert found["code", "boxes.py"][1] == "other"
    assert found["code", "commit"][1] == "f" * 40
    assert found["packages", "numpy"] == ("2.0.0", "2.0.1")
    assert found["packages", "torch"] == ("2.9.0", None)
    assert found["parents", "teacher"] == (None, "v1@1")
    assert found["machine", "cpu"] == ("2 cores", "8 cores")


def test_a_run_is_like_itself(workspace, make_run):
    run = make_run(workspace, "v1")
    assert diff_runs(run, run) == []
