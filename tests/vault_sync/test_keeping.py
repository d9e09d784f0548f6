"""What is kept of sealed records: asked for once, and never of a run at work."""

import json

from vault_sync.rendering.cache import KnownRun, keep
from vault_sync.rendering.context import Sources


def test_what_was_kept_is_not_made_again(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"value": 0.1 + 0.2, "path": tmp_path}

    first, second = (keep(tmp_path, ["v2@1", "seal"], make) for _ in range(2))
    assert first == second == {"value": 0.1 + 0.2, "path": str(tmp_path)}
    assert len(made) == 1
    keep(tmp_path, ["v2@1", "another seal"], make)
    assert len(made) == 2


def test_a_damaged_file_is_made_again(tmp_path):
    keep(tmp_path, ["a"], lambda: 1)
    (kept,) = tmp_path.iterdir()
    kept.write_text("{", encoding="utf-8")
    assert keep(tmp_path, ["a"], lambda: 2) == 2
    assert json.loads(kept.read_text(encoding="utf-8")) == 2


def test_a_sealed_run_is_read_as_it_is(workspace, make_run):
    run = make_run(workspace, "v2", recipe={"train.crop_scales": [0.3, 1.0]})
    for _ in range(2):
        known = KnownRun(run, workspace.state / "cache")
        assert known == run
        assert known.recipe == run.recipe
        assert known.events("epoch") == run.events("epoch")
        assert known.events() == run.events()


def test_a_run_at_work_is_read_again(workspace, make_run):
    run = make_run(workspace, "v2", status="interrupted")
    known = KnownRun(run, workspace.state / "cache")
    count = len(known.events("epoch"))
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "epoch", "epoch": 6}\n')
    assert len(known.events("epoch")) == count + 1


def test_selected_runs_are_the_known_ones(workspace, make_run):
    make_run(workspace, "v2")
    sources = Sources(workspace)
    (run,) = sources.select(["v2"])
    assert run is sources.sealed[0]
