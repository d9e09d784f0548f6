"""What a run writes, in which order, and what any crash leaves. The stages here are feigned."""

import dataclasses
import errno
import json
from pathlib import Path

import pytest
from filelock import FileLock

from experiments.ledger.events import read_events
from experiments.metrics import Metric
from experiments.names import STAGES
from experiments.recipe.resolve import resolve
from experiments.records import heartbeat, writer
from experiments.records.record import Parent, Record
from experiments.records.run import Run
from experiments.records.seal import seal, verify
from experiments.records.store import Store
from experiments.records.writer import Log, append_event
from experiments.running import execution, runner, teachers
from experiments.running.late_stages import LateStageError
from experiments.running.stage_context import StageResult
from experiments.running.stages import TABLE
from experiments.staleness import probes
from featherface.errors import (
    ClaimFalseError,
    DataError,
    InterruptedRunError,
    LockedError,
    NotFoundError,
    TrainingError,
    UnavailableError,
    UsageError,
)
from featherface.filesystem import atomic
from featherface.filesystem.atomic import write_atomic

SMOKE = ["data.root=synthetic"]


class KilledError(BaseException):
    """Stands for SIGKILL: nothing can be written after it."""


@pytest.fixture
def feigned(monkeypatch):
    """Replace every stage by one that writes a file and counts."""
    calls = []

    def make(name):
        def stage(work):
            calls.append(name)
            work.on_event({"kind": name, "event": len(work.folder.name)})
            write_atomic(work.folder / "checkpoints" / f"{name}.bin", name * 100)
            parent = Parent(role="weights", path=f"{name}.pth", sha256="0" * 64)
            return StageResult(
                metrics=[Metric(name=f"{name}.value", value=1.0, source=work.run)],
                details={"seen": len(work.parents)},
                parents=[parent],
                warnings=[f"{name} warned"],
            )

        return stage

    for name in STAGES:
        monkeypatch.setitem(TABLE, name, make(name))
    monkeypatch.setattr(execution, "write_probes", lambda *_: None)
    return calls


def go(workspace, name="smoke", overrides=SMOKE, **options):
    return runner.run(workspace, resolve(name, workspace, overrides), **options)


def dead(monkeypatch):
    """Make every other process look gone."""
    monkeypatch.setattr(heartbeat, "_born", lambda pid: None)


def test_the_stages_are_those_of_the_record():
    assert tuple(TABLE) == STAGES


def test_a_run_is_sealed_and_says_everything(workspace, feigned):
    said = []
    run = go(workspace, argv=["thesis", "run", "--set", "a.token=x"], on_message=said.append)
    assert (run.id, run.status, verify(run.folder)) == ("smoke@1", "sealed", [])
    assert feigned == list(STAGES)
    record = run.record
    assert {stage.status for stage in record.stages.values()} == {"done"}
    assert record.argv[-1] == "a.token=[removed]"
    assert [one.outcome for one in record.attempts] == ["finished"]
    assert record.overrides == ('data.root="synthetic"',)
    assert [one.path for one in record.parents] == [f"{name}.pth" for name in STAGES]
    assert record.warnings == tuple(f"{name} warned" for name in STAGES)
    assert [metric.name for metric in run.metrics] == [f"{name}.value" for name in STAGES]
    assert run.results["details"]["export"] == {"seen": 3}
    assert run.recipe["model"]["variant"] == "v2"
    assert run.resolved().recipe.digest == record.recipe
    assert "smoke@1: train" in said
    texts = ("record.json", "recipe.yaml", "code.json", "environment.txt", "metrics.jsonl")
    for name in (*texts, "log.txt"):
        assert (run.folder / name).is_file()


def test_stages_are_chosen_skipped_and_repeated_alone(workspace, feigned):
    run = go(workspace, stages=["benchmark", "train"])
    assert feigned == ["train", "benchmark"]
    assert run.record.stages["evaluate"].status == "skipped"
    assert go(workspace, stages=["train"]).version == 2
    with pytest.raises(UsageError, match="did you mean 'train'"):
        go(workspace, stages=["trian"])


@pytest.mark.parametrize("mode", ["auto", "resume"])
def test_a_run_goes_on_though_its_disk_has_another_letter(
    workspace, feigned, monkeypatch, tmp_path, mode
):
    working, disk = TABLE["evaluate"], tmp_path / "D" / "widerface"
    disk.mkdir(parents=True)

    def stop(work):
        raise InterruptedRunError("stopped")

    monkeypatch.setitem(TABLE, "evaluate", stop)
    with pytest.raises(InterruptedRunError):
        go(workspace, overrides=[f"data.root={disk}"])
    now = (tmp_path / "D").rename(tmp_path / "E") / "widerface"
    seen = []
    monkeypatch.setitem(TABLE, "evaluate", lambda work: seen.append(work.recipe) or working(work))
    dead(monkeypatch)
    run = go(workspace, overrides=[f"data.root={now}"], mode=mode)
    assert (run.version, run.status) == (1, "sealed")
    assert [recipe.data.root for recipe in seen] == [str(now)]
    assert run.recipe["data"]["root"] == str(disk)  # its record is as it was begun


def test_a_failure_is_recorded_and_auto_goes_on(workspace, feigned, monkeypatch):
    working = TABLE["evaluate"]

    def fail(work):
        raise TrainingError("the loss is nan", "lower train.lr")

    monkeypatch.setitem(TABLE, "evaluate", fail)
    with pytest.raises(LateStageError):
        go(workspace)
    run = Store(workspace).runs("smoke")[0]
    assert run.status == "failed"
    assert "evaluate failed: the loss is nan" in run.record.attempts[0].error
    assert run.record.stages["evaluate"].status == "failed"
    monkeypatch.setitem(TABLE, "evaluate", working)
    again = go(workspace)
    assert (again.version, feigned) == (1, ["train", "benchmark", "export", "evaluate"])
    assert len(again.record.attempts) == 2


def test_a_fault_of_the_program_is_in_the_log_and_not_hidden(workspace, feigned, monkeypatch):
    def fail(work):
        raise ZeroDivisionError("ouch")

    monkeypatch.setitem(TABLE, "train", fail)
    with pytest.raises(ZeroDivisionError):
        go(workspace)
    run = Store(workspace).runs("smoke")[0]
    assert run.record.attempts[0].error == "ZeroDivisionError: ouch"
    assert "Traceback" in (run.folder / "log.txt").read_text(encoding="utf-8")


def test_stopping_leaves_a_run_to_resume(workspace, feigned):
    with pytest.raises(InterruptedRunError):
        go(workspace, should_stop=lambda: len(feigned) == 2)
    run = Store(workspace).runs("smoke")[0]
    assert run.status == "interrupted"
    assert go(workspace, mode="resume").status == "sealed"
    assert feigned == list(STAGES)
    with pytest.raises(NotFoundError, match="no unfinished run"):
        go(workspace, mode="resume")


def interrupted(workspace, overrides=SMOKE):
    with pytest.raises(InterruptedRunError):
        go(workspace, overrides=overrides, should_stop=lambda: True)


def test_a_resume_keeps_the_recipe_it_began_with(workspace, feigned):
    interrupted(workspace, [*SMOKE, "train.lr=0.5"])
    with pytest.raises(UsageError, match=r"train\.lr is 0\.5 in the interrupted run, not 0\.25"):
        go(workspace, overrides=["train.lr=0.25"], mode="resume")
    said = []
    run = go(workspace, overrides=[], mode="resume", on_message=said.append)
    assert run.recipe["train"]["lr"] == 0.5
    assert any("goes on with the one it began with" in text for text in said)


def test_auto_starts_a_version_for_another_recipe(workspace, feigned):
    interrupted(workspace)
    assert go(workspace, overrides=["train.lr=0.5"]).version == 2
    assert go(workspace, mode="new").version == 3
    assert go(workspace).version == 1


def test_auto_finds_its_recipe_among_several_unfinished_runs(workspace, feigned):
    for seed in (0, 1):
        interrupted(workspace, [*SMOKE, f"seed={seed}"])
    said = []
    for seed in (0, 1):
        run = go(workspace, overrides=[*SMOKE, f"seed={seed}"], on_message=said.append)
        assert (run.version, run.record.seed) == (seed + 1, seed)
    assert "smoke@1 is interrupted: going on with it (--new starts another version)" in said


def test_one_process_per_run(workspace, feigned):
    interrupted(workspace)
    path = workspace.state / "locks" / "smoke-001.lock"
    with FileLock(path), pytest.raises(LockedError, match="smoke@1 is being worked on"):
        go(workspace, mode="resume")


@pytest.mark.parametrize(
    ("name", "overrides", "error"),
    [
        ("v1", [], DataError),
        ("v2", ["data.root=synthetic"], NotFoundError),
        ("smoke", ["model.weights=none.pth"], NotFoundError),
        ("smoke", ["evaluate.predictions=none"], NotFoundError),
        ("smoke", ["distill.teacher_weights=no.pth", "distill.teacher_variant=v1"], NotFoundError),
    ],
)
def test_what_is_missing_is_told_before_anything_is_written(
    workspace, feigned, name, overrides, error
):
    with pytest.raises(error):
        go(workspace, name, overrides)
    assert not list(workspace.runs.iterdir())


def test_several_processes_that_would_measure_leave_no_run(workspace, feigned, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match=r"train\.amp = auto: processes that train together"):
        go(workspace, overrides=[*SMOKE, "train.amp=auto"])
    assert not list(workspace.runs.iterdir())


def test_predictions_never_pass_for_those_of_the_network_trained_here(workspace, feigned):
    (workspace.root / "old").mkdir()
    with pytest.raises(UsageError, match=r"evaluate\.predictions would be reported"):
        go(workspace, overrides=["evaluate.predictions=old"])
    assert not list(workspace.runs.iterdir())
    assert go(workspace, overrides=["evaluate.predictions=old"], stages=["evaluate"]).sealed


def test_a_missing_backbone_is_told_before_anything_is_written(workspace, feigned):
    with pytest.raises(NotFoundError, match=r"no weights file .*none\.pth"):
        go(workspace, overrides=["model.backbone_weights=none.pth"])
    assert not list(workspace.runs.iterdir())


def test_evaluating_without_any_weights_is_told(workspace, feigned):
    with pytest.raises(NotFoundError, match="no finished run with weights"):
        go(workspace, stages=["evaluate"])


def with_weights(run, content=b"weights"):
    (run.folder / "checkpoints").mkdir(exist_ok=True)
    (run.folder / "checkpoints" / "best.safetensors").write_bytes(content)
    seal(run.folder)
    return Run(run.folder)


def test_a_teacher_must_be_finished_and_whole(workspace, feigned, make_run):
    teacher = with_weights(make_run(workspace, "v1"))
    run = go(workspace, "v2")
    assert run.record.parents[0] == Parent(role="teacher", run="v1@1", seal=teacher.seal)
    (teacher.folder / "log.txt").write_text("", encoding="utf-8")
    with pytest.raises(Exception, match="its sealed record was changed"):
        go(workspace, "v2", mode="new")
    make_run(workspace, "v9", status="failed")
    with pytest.raises(UsageError, match="v9@1 is failed"):
        go(workspace, "v2", [*SMOKE, "distill.teacher=v9@1"])


def test_a_teacher_that_was_never_trained_is_told_with_what_trains_it(workspace, make_run):
    make_run(workspace, "v9")
    with pytest.raises(NotFoundError, match="no run of 'v1' yet, the teacher") as caught:
        go(workspace, "v2", SMOKE)
    assert caught.value.hint.startswith("thesis run v1;")


@pytest.mark.parametrize("key", ["train.device", "benchmark.device"])
def test_a_card_that_is_not_here_costs_no_version(workspace, pretend_cards, key):
    pretend_cards("NVIDIA GeForce RTX 3060")
    with pytest.raises(UnavailableError, match=f"{key} = cuda:7: .*RTX 3060"):
        go(workspace, "smoke", [*SMOKE, f"{key}=cuda:7"])
    assert not (workspace.root / "runs" / "smoke").exists()


def test_a_teacher_that_changes_before_a_resume_is_refused(workspace, make_run):
    run = with_weights(make_run(workspace, "v1"))
    store = Store(workspace)
    recipe = resolve("v2", workspace, SMOKE).recipe
    (parent,) = teachers.teacher_parents(store, recipe)
    (run.folder / "checkpoints" / "best.safetensors").write_bytes(b"WEIGHTS")
    with pytest.raises(ClaimFalseError, match="was changed"):
        teachers.load_teacher(Store(workspace), recipe, [parent])
    with_weights(run, b"WEIGHTS")
    with pytest.raises(ClaimFalseError, match="was changed since the run began"):
        teachers.load_teacher(Store(workspace), recipe, [parent])


def test_a_teaching_file_that_changes_before_a_resume_is_refused(workspace):
    file = workspace.root / "t.pth"
    file.write_bytes(b"weights")
    changes = [*SMOKE, "distill.teacher_weights=t.pth", "distill.teacher_variant=v1"]
    recipe = resolve("smoke", workspace, changes).recipe
    (parent,) = teachers.teacher_parents(Store(workspace), recipe)
    file.write_bytes(b"WEIGHTS")
    with pytest.raises(ClaimFalseError, match=r"t\.pth was changed since the run began"):
        teachers.load_teacher(Store(workspace), recipe, [parent])


def test_a_teacher_without_weights_is_told_before_anything_is_written(workspace, make_run):
    make_run(workspace, "v1")
    with pytest.raises(NotFoundError, match="teacher v1@1 has no weights"):
        go(workspace, "v2")
    assert not (workspace.runs / "v2").exists()


def test_a_run_that_another_process_has_just_sealed_is_left_alone(workspace, feigned, monkeypatch):
    interrupted(workspace)
    folder = workspace.runs / "smoke" / "001"
    monkeypatch.setattr(runner, "_resumable", lambda *_: folder)
    sealed = go(workspace)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(LockedError, match="just been finished by another process"):
        go(workspace)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert verify(sealed.folder) == []


def test_a_run_that_is_being_sealed_is_running(workspace, feigned, monkeypatch):
    seen, finish = [], writer.finish

    def look(folder, record):
        seen.append(Store(workspace).runs("smoke")[0].status)
        return finish(folder, record)

    monkeypatch.setattr(writer, "finish", look)
    assert go(workspace).status == "sealed"
    assert seen == ["running"]


def test_going_on_with_other_code_is_noted(workspace, feigned, monkeypatch):
    interrupted(workspace)
    monkeypatch.setattr(execution, "code_digest", lambda: "0" * 64)
    assert "attempt 2 ran other code than the run began with" in go(workspace).record.warnings


def test_each_stage_keeps_its_probes_as_soon_as_it_is_done(workspace, feigned, monkeypatch):
    kept = []
    monkeypatch.setattr(
        execution, "write_probes", lambda _folder, stage, recipe: kept.append((stage, recipe.name))
    )
    go(workspace)
    assert kept == [(stage, "smoke") for stage in STAGES]


@pytest.mark.parametrize("fault", [UsageError("no such thing"), ZeroDivisionError("nothing")])
def test_probes_that_can_not_be_computed_cost_a_run_nothing(workspace, feigned, monkeypatch, fault):
    def fail(_settings, _probes):
        raise fault

    monkeypatch.setattr(execution, "write_probes", probes.write_probes)
    monkeypatch.setattr("featherface.probes.table.measure", fail)
    run = go(workspace)
    assert run.status == "sealed"
    assert not (run.folder / probes.FILE).exists()
    [warning] = [text for text in run.record.warnings if text.startswith("probes could not")]
    assert "no" in warning


def test_no_secret_reaches_the_log(workspace, feigned, monkeypatch):
    def fail(work):
        work.on_message("see https://me:hunter2@host.org/x")
        raise ValueError("https://me:hunter2@host.org/x")

    monkeypatch.setitem(TABLE, "train", fail)
    with pytest.raises(ValueError, match="host"):
        go(workspace)
    text = (workspace.runs / "smoke" / "001" / "log.txt").read_text(encoding="utf-8")
    assert "see https://host.org/x" in text
    assert "hunter2" not in text


def spoil(monkeypatch, at, fault):
    """Let the AT-th file exchange, and all after it until `heal`, raise FAULT."""
    real, state = atomic.os.replace, {"count": 0, "broken": True}

    def replace(source, target):
        state["count"] += 1
        if state["broken"] and state["count"] >= at:
            raise fault
        real(source, target)

    monkeypatch.setattr(atomic.os, "replace", replace)
    return state


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("at", range(1, 31))
@pytest.mark.parametrize("fault", [FULL, KilledError()], ids=["full", "killed"])
def test_a_crash_at_any_write_can_be_gone_on_from(workspace, feigned, monkeypatch, at, fault):
    state = spoil(monkeypatch, at, fault)
    try:
        go(workspace)
    except (UnavailableError, KilledError):
        state["broken"] = False
        assert all(not run.sealed for run in Store(workspace).runs())
        dead(monkeypatch)
        run = go(workspace)
    else:
        state["broken"] = False
        run = Store(workspace).find("smoke")
        assert state["count"] < at
    assert (run.status, verify(run.folder)) == ("sealed", [])
    assert [metric.name for metric in run.metrics] == [f"{name}.value" for name in STAGES]
    assert not [path for path in run.folder.rglob("*") if path.name.endswith(".tmp")]
    assert not (run.folder / "heartbeat.json").exists()
    assert all(other.status != "running" for other in Store(workspace).runs())


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "free some space"), (errno.EIO, "the disk is failing")]
)
@pytest.mark.parametrize("name", ["metrics.jsonl", "log.txt"])
def test_appending_to_a_failing_disk_is_a_clear_error(tmp_path, monkeypatch, number, advice, name):

    def refuse(*_args, **_more):
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnavailableError, match=f"can't write .*{name}") as told:
        Log(tmp_path).add("x") if name == "log.txt" else append_event(tmp_path, {"kind": "x"})
    assert advice in told.value.hint


def test_a_full_disk_before_the_first_record_leaves_no_folder(workspace, feigned, monkeypatch):
    state = spoil(monkeypatch, 1, FULL)
    with pytest.raises(UnavailableError, match="No space left"):
        go(workspace)
    assert not list((workspace.runs / "smoke").iterdir())
    state["broken"] = False


def test_status_follows_heartbeat_host_and_process(workspace, feigned, make_run, monkeypatch):
    run = make_run(workspace, status="running")
    assert run.status == "interrupted"
    heartbeat.beat(run.folder)
    assert run.status == "running"
    beat = json.loads((run.folder / "heartbeat.json").read_text(encoding="utf-8"))
    for changes, status in (
        ({"pid": 2**22 + 1}, "interrupted"),
        ({"born": 1.0}, "interrupted"),
        ({"host": "elsewhere"}, "running"),
        ({"host": "elsewhere", "time": 0}, "interrupted"),
        ({"pid": "x"}, "interrupted"),
    ):
        text = json.dumps(beat | changes)
        (run.folder / "heartbeat.json").write_text(text, encoding="utf-8")
        assert run.status == status
    (run.folder / "record.json").unlink()
    assert run.status == "unsealed"
    assert Record.read(make_run(workspace).folder).status == "finished"


@pytest.mark.parametrize("late", ["evaluate", "benchmark", "export"])
@pytest.mark.parametrize("fault", [UnavailableError("no", "try again"), ZeroDivisionError("no")])
def test_a_late_stage_that_fails_costs_no_other(workspace, feigned, monkeypatch, late, fault):
    def fail(work):
        raise fault

    working = TABLE[late]
    monkeypatch.setitem(TABLE, late, fail)
    with pytest.raises(LateStageError) as caught:
        go(workspace)
    others = [name for name in STAGES if name != late]
    assert feigned == others
    assert f"smoke@1: {late} failed: " in caught.value.message
    assert f"What {', '.join(others[:-1])} and {others[-1]} gave is kept" in caught.value.message
    assert "thesis run smoke --resume repeats" in caught.value.hint
    assert f"thesis run smoke --resume --skip {late} seals" in caught.value.hint
    assert ("try again" in caught.value.hint) == isinstance(fault, UnavailableError)
    run = Run(workspace.runs / "smoke" / "001")
    assert run.status == "failed"
    assert {one.name for one in run.metrics} == {f"{name}.value" for name in others}
    logged = (run.folder / "log.txt").read_text(encoding="utf-8")
    assert ("Traceback" in logged) == isinstance(fault, ZeroDivisionError)
    monkeypatch.setitem(TABLE, late, working)
    feigned.clear()
    again = go(workspace, stages=[late])  # what is left of it, and no new version
    assert (again.id, again.status, feigned) == ("smoke@1", "sealed", [late])
    assert not verify(again.folder)
    assert {one.name for one in again.metrics} == {f"{name}.value" for name in STAGES}


@pytest.mark.parametrize("mode", ["auto", "resume"])
def test_a_run_is_sealed_without_what_keeps_failing(workspace, feigned, monkeypatch, mode):
    def fail(work):
        raise UnavailableError("the file differs")

    monkeypatch.setitem(TABLE, "export", fail)
    for _ in range(2):
        with pytest.raises(LateStageError):
            go(workspace)
    run = go(workspace, skip=["export"], mode=mode)
    assert (run.id, run.status) == ("smoke@1", "sealed")
    assert feigned == ["train", "evaluate", "benchmark"]
    assert run.record.stages["export"].status == "skipped"
    assert "export was left out, it failed: the file differs" in run.record.warnings
    assert not verify(run.folder)


def test_each_stage_that_is_given_up_is_told_with_its_own_fault(workspace, feigned, monkeypatch):
    def fail(work):
        raise UnavailableError(f"no {work.run}; none")

    late = ["benchmark", "export"]
    for name in late:
        monkeypatch.setitem(TABLE, name, fail)
    with pytest.raises(LateStageError):
        go(workspace)
    run = go(workspace, skip=late)
    told = [f"{name} was left out, it failed: no smoke@1; none" for name in late]
    assert [one for one in run.record.warnings if "left out" in one] == told


def test_only_what_is_not_done_and_not_needed_is_left_out(workspace, feigned, monkeypatch):
    run = go(workspace, skip=["export"])
    assert run.record.stages["export"].status == "skipped"
    assert feigned == ["train", "evaluate", "benchmark"]
    with pytest.raises(UsageError, match="no stage that can be left out 'train'"):
        go(workspace, skip=["train"])
    with pytest.raises(UsageError, match="no stage is left of export"):
        go(workspace, stages=["export"], skip=["export"])

    def fail(work):
        raise UnavailableError("no")

    monkeypatch.setitem(TABLE, "export", fail)
    with pytest.raises(LateStageError):
        go(workspace, mode="new")
    with pytest.raises(UsageError, match="evaluate of smoke@2 is done: nothing to skip"):
        go(workspace, mode="resume", skip=["evaluate"])


def test_a_first_stage_that_fails_is_told_as_it_is(workspace, feigned, monkeypatch):
    def fail(work):
        raise UnavailableError("no")

    monkeypatch.setitem(TABLE, "train", fail)
    with pytest.raises(UnavailableError) as caught:
        go(workspace)
    assert not isinstance(caught.value, LateStageError)
    assert not feigned


def test_stopping_in_a_late_stage_starts_no_other(workspace, feigned, monkeypatch):
    def stop(work):
        raise InterruptedRunError("stopped")

    monkeypatch.setitem(TABLE, "evaluate", stop)
    with pytest.raises(InterruptedRunError):
        go(workspace)
    assert feigned == ["train"]


def test_plots_that_can_not_be_drawn_leave_the_run_sealed(workspace, feigned, monkeypatch):
    def fail(run, language):
        raise ZeroDivisionError("no axis")

    monkeypatch.setattr("experiments.plotting.run_plots.draw_record", fail)
    run = go(workspace)
    assert run.status == "sealed"
    assert "plots could not be made: ZeroDivisionError: no axis" in run.record.warnings
    assert "Traceback" in (run.folder / "log.txt").read_text(encoding="utf-8")
    assert not verify(run.folder)


def test_a_run_is_noted_when_it_is_given_its_number_and_when_it_is_sealed(workspace, feigned):
    run = go(workspace)
    events, _ = read_events(Store(workspace).ledger.path)
    assert [(event.event, event.run, event.seal) for event in events] == [
        ("given", run.id, ""),
        ("sealed", run.id, run.seal),
    ]
    assert len(Record.read(run.folder).uid) == 16


@pytest.mark.parametrize("without_ledger", [False, True])
def test_a_finished_run_whose_seal_was_deleted_is_not_gone_on_with(
    workspace, feigned, without_ledger
):
    run = go(workspace)
    (run.folder / "SEAL.json").unlink()
    if without_ledger:
        Store(workspace).ledger.path.unlink()
    with pytest.raises(ClaimFalseError, match="its seal is gone") as error:
        go(workspace, mode="resume")
    assert "thesis run smoke --new" in error.value.hint
    said = []
    assert go(workspace, on_message=said.append).version == 2
    assert any("its seal is gone" in text for text in said)
    assert not Run(run.folder).sealed


def test_a_run_that_was_killed_before_its_seal_is_gone_on_with(workspace, feigned, monkeypatch):
    def die(folder, record):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(writer, "finish", die)
        with pytest.raises(KilledError):
            go(workspace)
    dead(monkeypatch)
    assert Record.read(Store(workspace).runs()[0].folder).status == "finished"
    assert go(workspace, mode="resume").id == "smoke@1"


def test_the_resume_of_a_sealed_run_says_that_there_is_nothing_to_resume(workspace, feigned):
    go(workspace)
    with pytest.raises(NotFoundError, match="smoke@1 is sealed") as error:
        go(workspace, mode="resume")
    assert error.value.hint == "thesis run smoke --new"


@pytest.fixture
def handing_over(feigned, monkeypatch):
    """Let the training make weights and the evaluation read them, which fails the first time."""
    failures = [UnavailableError("the disk is full")]

    def train(work):
        write_atomic(work.checkpoints / "best.safetensors", b"trained")
        work.makes(work.checkpoints / "best.safetensors")
        return StageResult()

    def evaluate(work):
        work.reads(work.checkpoints / "best.safetensors")
        if failures:
            raise failures.pop()
        return StageResult()

    monkeypatch.setitem(TABLE, "train", train)
    monkeypatch.setitem(TABLE, "evaluate", evaluate)


def test_weights_changed_between_training_and_evaluation_are_refused(workspace, handing_over):
    with pytest.raises(LateStageError):
        go(workspace)
    (run,) = Store(workspace).runs()
    weights = run.folder / "checkpoints" / "best.safetensors"
    weights.write_bytes(b"others!")
    with pytest.raises(LateStageError, match="was changed since a stage of this run made it"):
        go(workspace, mode="resume")
    assert not Run(run.folder).sealed
    weights.write_bytes(b"trained")
    sealed = go(workspace, mode="resume")
    stages = Record.read(sealed.folder).stages
    assert stages["train"].outputs == stages["evaluate"].inputs != {}


def test_weights_changed_after_their_last_reader_are_not_sealed(
    workspace, handing_over, monkeypatch
):
    with pytest.raises(LateStageError):
        go(workspace)

    def export(work):
        write_atomic(work.checkpoints / "best.safetensors", b"others!")
        return StageResult()

    monkeypatch.setitem(TABLE, "export", export)
    (run,) = Store(workspace).runs()
    record = Record.read(run.folder)
    again = dataclasses.replace(record.stages["export"], status="pending")
    stages = {**record.stages, "export": again}
    dataclasses.replace(record, stages=stages).write(run.folder)
    with pytest.raises(DataError, match="was changed since a stage of this run made it"):
        go(workspace, mode="resume")
    assert not Run(run.folder).sealed
