"""What another process sees of a run that is at work."""

import json

import pytest

from experiments.records import heartbeat, writer
from experiments.records.seal import HEARTBEAT
from experiments.records.status import choose, look
from experiments.records.store import Store
from featherface.errors import NotFoundError


def test_a_run_at_work_is_seen_with_its_curves_and_its_process(workspace, make_run):
    run = make_run(workspace, status="interrupted", recipe={"train.epochs": 9})
    heartbeat.beat(run.folder)
    sight = look(run)
    assert (sight.status, sight.epoch, sight.epochs, sight.step) == ("running", 5, 9, 10)
    assert sight.loss.values == pytest.approx([8 / epoch for epoch in range(1, 6)])
    assert [curve.name for curve in sight.scores] == ["mean_ap", "easy", "medium", "hard"]
    assert sight.best == max(sight.scores[0].values)
    assert sight.images_per_second == pytest.approx(16 / 2.5)
    assert sight.machine.memory_mb > 10
    assert sight.machine.cpu_percent is not None


def test_time_left_counts_steps_of_the_epoch_at_work(workspace, make_run):
    run = make_run(workspace, status="interrupted", recipe={"train.epochs": 9})
    record = json.loads((run.folder / "record.json").read_text(encoding="utf-8"))
    record["stages"]["train"]["status"] = "running"
    writer.write_json(run.folder / "record.json", record)
    heartbeat.beat(run.folder)
    assert look(run).seconds_left == pytest.approx(4 * 2.5)
    event = {"kind": "step", "event": 10, "epoch": 5, "step": 11, "loss": 1.0}
    writer.append_event(run.folder, event)
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "step", "event": 11, "ep')
    sight = look(run)
    assert sight.step == 11
    assert sight.seconds_left == pytest.approx(3.5 * 2.5)


def test_a_finished_run_takes_nothing_and_has_no_time_left(workspace, make_run):
    sight = look(make_run(workspace))
    assert (sight.status, sight.seconds_left) == ("sealed", None)
    assert sight.machine.memory_mb is None


def test_a_run_that_has_told_nothing_yet(workspace, make_run):
    sight = look(make_run(workspace, status="interrupted", events=False))
    assert (sight.epoch, sight.step, sight.loss.values, sight.scores) == (0, 0, (), ())


def test_the_run_at_work_is_chosen_before_later_ones(workspace, make_run):
    working = make_run(workspace, "v1", status="interrupted")
    later = make_run(workspace, "v2", status="interrupted", created="2026-02-02T00:00:00+00:00")
    store = Store(workspace)
    assert choose(store, None) == later
    heartbeat.beat(working.folder)
    assert choose(store, None) == working
    assert choose(store, "v2") == later  # a bare name is its latest version, sealed or not
    with pytest.raises(NotFoundError, match="v9"):
        choose(store, "v9")


@pytest.mark.parametrize(("age", "alive"), [(100, True), (140, False)])
def test_of_another_host_a_heartbeat_counts_for_two_minutes(tmp_path, monkeypatch, age, alive):
    beat = {"host": "elsewhere", "pid": 1, "time": 1_000_000.0}
    (tmp_path / HEARTBEAT).write_text(json.dumps(beat), encoding="utf-8")
    monkeypatch.setattr(heartbeat.time, "time", lambda: 1_000_000.0 + age)
    assert heartbeat.alive(tmp_path) is alive


def test_no_run_at_all_says_how_to_make_one(workspace):
    with pytest.raises(NotFoundError, match="no run to watch"):
        choose(Store(workspace), None)
