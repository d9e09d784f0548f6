"""What is kept of sealed records: asked for once, and never of a run at work."""

import dataclasses
import json
from functools import partial

import pytest

from experiments.records.cache import (
    CachedRun,
    cached_result,
    read_epochs,
    read_recipe,
    record_key,
)
from experiments.records.run import Run
from experiments.records.seal import seal
from featherface.source import cache_entries
from vault_sync.rendering.sources import Sources


@pytest.fixture
def reads(workspace, make_run):
    """The recipe of a run, kept in a folder: once in it, it is not read again."""
    run = make_run(workspace, "v2")
    return workspace.state / "cache" / "recipes", partial(read_recipe, run.folder), run


def test_what_was_kept_is_not_made_again(reads, monkeypatch):
    folder, read, run = reads
    first = cached_result(folder, ["v2@1", "seal"], read)
    assert first == json.loads(json.dumps(run.recipe, default=str))
    (run.folder / "recipe.yaml").unlink()
    assert cached_result(folder, ["v2@1", "seal"], read) == first
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("what", ["inputs", "function", "code", "library"])
def test_what_follows_from_something_else_is_made_again(reads, monkeypatch, what):
    folder, read, run = reads
    inputs = ["v2@1", "seal"]
    cached_result(folder, inputs, read, ["numpy"])
    if what == "inputs":
        inputs = ["v2@1", "another seal"]
    elif what == "function":
        read = partial(read_epochs, run.folder)
    else:
        name = {"code": "definition_digest", "library": "_version"}[what]
        monkeypatch.setattr(cache_entries, name, lambda *_: "another")
    made = cached_result(folder, inputs, read, ["numpy"])
    assert made == (run.events("epoch") if what == "function" else run.recipe)
    assert len(list(folder.iterdir())) == 2


def test_a_damaged_file_is_made_again(reads):
    folder, read, _ = reads
    first = cached_result(folder, ["a"], read)
    (kept,) = folder.iterdir()
    for damaged in ("{", "", "\x00"):
        kept.write_text(damaged, encoding="utf-8")
        assert cached_result(folder, ["a"], read) == first
        assert json.loads(kept.read_text(encoding="utf-8")) == first


def test_match_records_that_come_back_are_noticed(workspace, make_run):
    """Large files are often left out of a copy; what was made without them doesn't stay."""
    run = make_run(workspace, "v2", matches=True)
    matches = run.folder / "matches.npz"
    whole, content = record_key(run), matches.read_bytes()
    matches.unlink()
    assert record_key(run) != whole
    matches.write_bytes(content)
    assert record_key(run) == whole


def test_a_record_sealed_anew_has_another_key(workspace, make_run):
    run = make_run(workspace, "v2")
    before = record_key(run)
    dataclasses.replace(run.record, title="another").write(run.folder)
    seal(run.folder)
    assert record_key(Run(run.folder)) != before


def test_a_sealed_run_is_read_as_it_is(workspace, make_run):
    run = make_run(workspace, "v2", recipe={"train.crop_scales": [0.3, 1.0]})
    for _ in range(2):
        cached = CachedRun(run, workspace.state / "cache")
        assert cached == run
        assert cached.recipe == run.recipe
        assert cached.events("epoch") == run.events("epoch")
        assert cached.events() == run.events()


def test_a_run_at_work_is_read_again(workspace, make_run):
    run = make_run(workspace, "v2", status="interrupted")
    cached = CachedRun(run, workspace.state / "cache")
    count = len(cached.events("epoch"))
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "epoch", "epoch": 6}\n')
    assert len(cached.events("epoch")) == count + 1


def test_selected_runs_are_the_cached_ones(workspace, make_run):
    make_run(workspace, "v2")
    sources = Sources(workspace)
    (run,) = sources.select(["v2"])
    assert run is sources.sealed[0]
