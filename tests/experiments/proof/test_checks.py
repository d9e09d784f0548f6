"""What `runs verify` computes again of a record, and what it says it could not."""

import dataclasses
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from experiments.proof.checks import CHECKS, FILES, examine
from experiments.proof.recomputation import count_parameters
from experiments.proof.rematching import same_matches
from experiments.records.record import Stage
from experiments.records.run import Run
from experiments.records.seal import seal, sha256
from experiments.records.store import Store

TENSORS = {
    "stem.weight": np.zeros((8, 3, 3, 3), np.float32),
    "stem.running_mean": np.zeros(8, np.float32),
    "stem.num_batches_tracked": np.zeros(1, np.int64),
}


def outcomes(workspace, run, **options):
    problems, told = examine(Run(run.folder), Store(workspace), **options)
    return problems, {each.check: (each.outcome, each.detail) for each in told}


def with_weights(run, **stages):
    (run.folder / "checkpoints").mkdir()
    save_file(TENSORS, run.folder / "checkpoints" / "best.safetensors")
    dataclasses.replace(run.record, stages={**run.record.stages, **stages}).write(run.folder)
    seal(run.folder)
    return Run(run.folder)


def test_every_check_is_told_and_why_one_was_not_made(workspace, make_run):
    problems, told = outcomes(workspace, make_run(workspace))
    assert problems == []
    assert list(told) == [FILES, *CHECKS]
    assert told["accuracy"] == ("not done", "it holds no matches.npz")
    assert told["parameters"] == ("not done", "it holds no weights")
    assert told["intervals"] == ("not done", "left out; --full makes it")
    assert told["memory"][0] == "not done"
    assert told["identity"] == ("held", "sealed as v1@1")
    assert told["stages"][0] == "not done"


def test_aps_and_intervals_follow_from_the_matches(workspace, make_run):
    run = make_run(workspace, matches=True)
    problems, told = outcomes(workspace, run, full=True)
    assert problems == []
    assert told["accuracy"] == ("held", "4 APs from matches.npz")
    assert told["intervals"] == ("held", "4 APs inside their 95 % intervals")


def test_parameters_are_counted_in_the_weights(workspace, make_run):
    run = with_weights(make_run(workspace, metrics={"params.total": 216}))
    assert count_parameters(run.weights) == 216
    assert outcomes(workspace, run)[1]["parameters"] == ("held", "216 from best.safetensors")
    wrong = with_weights(make_run(workspace, metrics={"params.total": 217}))
    problems, told = outcomes(workspace, wrong)
    assert told["parameters"] == ("failed", "params.total is 217, best.safetensors holds 216")
    assert [problem.kind for problem in problems] == ["contradicted"]


@pytest.mark.parametrize("swapped", [False, True])
def test_files_are_followed_from_stage_to_stage(workspace, make_run, swapped):
    run = with_weights(make_run(workspace, metrics={"params.total": 216}))
    name = "checkpoints/best.safetensors"
    made = sha256(run.folder / name)
    read = "0" * 64 if swapped else made
    stages = {
        **run.record.stages,
        "train": Stage(status="done", outputs={name: made}),
        "evaluate": Stage(status="done", inputs={name: read}),
    }
    dataclasses.replace(run.record, stages=stages).write(run.folder)
    seal(run.folder)
    problems, told = outcomes(workspace, run)
    assert told["stages"][0] == ("failed" if swapped else "held")
    assert [problem.path for problem in problems] == ([name] if swapped else [])


def test_a_forgery_with_a_seal_of_its_own_fails_by_ledger_and_by_recomputation(workspace, make_run):
    run = make_run(workspace, matches=True)
    Store(workspace).remember()
    path = run.folder / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    for metric in results["metrics"]:
        metric["value"] = min(1.0, metric["value"] + 0.1)
    path.write_text(json.dumps(results), encoding="utf-8")
    seal(run.folder)
    _, told = outcomes(workspace, run)
    assert told[FILES][0] == "held"
    assert (told["memory"][0], told["accuracy"][0]) == ("failed", "failed")


def test_nothing_is_recomputed_from_files_that_were_changed(workspace, make_run):
    run = make_run(workspace, matches=True)
    (run.folder / "log.txt").write_text("other", encoding="utf-8")
    _, told = outcomes(workspace, run)
    assert told[FILES][0] == "failed"
    assert told["accuracy"] == ("not done", "files are not as they were sealed")


def test_matches_differ_where_one_count_does(workspace, make_run):
    matches = make_run(workspace, matches=True).matches()
    hard = matches.subsets["hard"]
    other = dataclasses.replace(hard, hits=hard.hits + 1)
    changed = dataclasses.replace(matches, subsets={**matches.subsets, "hard": other})
    assert same_matches(matches, matches)
    assert not same_matches(matches, changed)
