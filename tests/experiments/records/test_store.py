"""Runs are found by selector, and a sealed record that was touched shows."""

import pytest

from experiments.records.annotations import RunAnnotations
from experiments.records.run import Run
from experiments.records.seal import SEAL, verify
from experiments.records.store import Store
from experiments.records.writer import append_event
from featherface.errors import NotFoundError, UsageError


def test_a_run_is_found_by_every_selector(workspace, make_run):
    first = make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.7}, labels=("thesis-final",))
    second = make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.6})
    broken = make_run(workspace, "v2", status="failed")
    store = Store(workspace)
    assert store.find("v2") == second
    assert store.find("v2@1") == first
    assert store.find("v2@best") == first
    assert store.find("v2@last") == broken
    assert store.find("@last") == broken
    assert store.find("thesis-final") == first
    assert [run.status for run in store.runs("v2")] == ["sealed", "sealed", "failed"]


def test_an_unknown_selector_names_the_nearest(workspace, make_run):
    store = Store(workspace)
    with pytest.raises(NotFoundError, match="no run yet"):
        store.find("@last")
    make_run(workspace, "v2-ultra")
    with pytest.raises(NotFoundError, match="did you mean 'v2-ultra'"):
        store.find("v2ultra")
    with pytest.raises(NotFoundError, match="did you mean 'v2-ultra@1'"):
        store.find("v2-ultra@7")
    make_run(workspace, "v9", status="interrupted")
    with pytest.raises(NotFoundError, match="v9@1 is interrupted"):
        store.find("v9")


def test_best_follows_the_direction_of_the_metric(workspace, make_run):
    for value in (40.0, 20.0, 30.0):
        make_run(workspace, "fast", metrics={"latency.cpu.median_ms": value})
    for run in Store(workspace).runs("fast"):
        text = (run.folder / "record.json").read_text(encoding="utf-8")
        changed = text.replace('"widerface.mean_ap"', '"latency.cpu.median_ms"')
        (run.folder / "record.json").write_text(changed, encoding="utf-8")
    assert Store(workspace).find("fast@best").version == 2


def test_best_never_sets_synthetic_against_real_images(workspace, make_run):
    make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.95})
    make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.8}, dataset="widerface", n=3226)
    make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.7}, dataset="widerface", n=3226)
    make_run(
        workspace,
        "v2",
        metrics={"widerface.mean_ap": 0.99},
        dataset="widerface",
        n=34,
        complete=False,
    )
    make_run(workspace, "v2", metrics={"params.total": 1})
    assert Store(workspace).find("v2@best").version == 2


def test_versions_are_never_given_twice(workspace):
    store = Store(workspace)
    assert [store.allocate("v1").name for _ in range(3)] == ["001", "002", "003"]
    with pytest.raises(UsageError, match="can't name an experiment"):
        store.allocate("../x")


def test_the_thousandth_version_comes_after_the_one_before(workspace):
    (workspace.runs / "v1" / "999").mkdir(parents=True)
    store = Store(workspace)
    assert store.allocate("v1").name == "1000"
    assert [run.version for run in store.runs("v1")] == [999, 1000]


def test_an_intact_record_verifies(workspace, make_run):
    assert verify(make_run(workspace).folder) == []


@pytest.mark.parametrize("name", ["results.json", "recipe.yaml", "plots/loss_curves.png"])
def test_a_changed_file_is_named(workspace, make_run, name):
    run = make_run(workspace)
    path = run.folder / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(bytes(content))
    assert [(one.path, one.kind) for one in verify(run.folder)] == [(name, "changed")]


def test_missing_added_and_forged_files_are_named(workspace, make_run):
    run = make_run(workspace)
    (run.folder / "log.txt").unlink()
    (run.folder / "extra.txt").write_text("x", encoding="utf-8")
    (run.folder / ".DS_Store").write_bytes(b"")
    assert {(one.path, one.kind) for one in verify(run.folder)} == {
        ("log.txt", "missing"),
        ("extra.txt", "added"),
    }
    seal = (run.folder / SEAL).read_text(encoding="utf-8")
    (run.folder / SEAL).write_text(seal.replace('"size": ', '"size": 1'), encoding="utf-8")
    assert [one.path for one in verify(run.folder)] == [SEAL]
    (run.folder / SEAL).write_text("{", encoding="utf-8")
    assert [one.kind for one in verify(run.folder)] == ["unreadable"]


def test_a_renamed_file_is_another_record(workspace, make_run):
    run = make_run(workspace)
    (run.folder / "log.txt").rename(run.folder / "logs.txt")  # sorted as before
    seal = (run.folder / SEAL).read_text(encoding="utf-8")
    (run.folder / SEAL).write_text(seal.replace("log.txt", "logs.txt"), encoding="utf-8")
    assert [str(one) for one in verify(run.folder)] == [
        "SEAL.json: changed (its own digest is wrong)"
    ]


def test_annotations_leave_the_seal_whole(workspace, make_run):
    run = make_run(workspace)
    RunAnnotations(labels=("best",), note="Été", hypothesis="Other words").write(run.folder)
    assert Store(workspace).verify(run) == []
    again = Run(run.folder)
    assert (again.labels, again.hypothesis) == (("best",), "Other words")


def test_a_half_written_event_is_left_out_and_loses_no_other(workspace, make_run):
    run = make_run(workspace, status="interrupted")
    with (run.folder / "metrics.jsonl").open("ab") as file:
        file.write(b'{"kind": "epo')
    before = len(run.events())
    append_event(run.folder, {"kind": "epoch", "event": 10, "epoch": 6})
    assert len(run.events()) == before + 1
