"""The index is a cache: fresh, rebuilt without loss, and never in the way."""

import errno
import io
import os

from experiments.records.index import summarize
from experiments.records.store import Store


def test_a_summary_follows_the_record(workspace, make_run):
    make_run(workspace, "v1", labels=("thesis-final",))
    run = make_run(workspace, "v2", status="interrupted")
    store = Store(workspace)
    first = store.summaries()
    assert [(one.run, one.status, one.labels) for one in first] == [
        ("v1@1", "sealed", ("thesis-final",)),
        ("v2@1", "interrupted", ()),
    ]
    assert first == store.summaries()
    store.annotate(run, labels=("again",))
    assert store.summaries()[1].labels == ("again",)


def test_what_is_said_of_a_finished_run_is_not_taken_from_the_index(workspace, make_run):
    run = make_run(workspace, "v1", labels=("thesis-final",))
    store = Store(workspace)
    assert store.summaries()[0].labels == ("thesis-final",)
    store.annotate(run, labels=("superseded",))
    assert store.summaries()[0].labels == Store(workspace).summaries()[0].labels == ("superseded",)


def test_rebuilding_loses_nothing(workspace, make_run):
    for _ in range(3):
        make_run(workspace, "v1", labels=())
    store = Store(workspace)
    before = store.summaries()
    store.index.path.write_bytes(b"this is no database, but it is long enough to be read" * 50)
    assert store.summaries() == before
    assert store.reindex() == 3
    assert store.summaries() == before == [summarize(run) for run in store.runs()]


def test_no_index_is_no_obstacle(workspace, make_run):
    make_run(workspace)
    store = Store(workspace)
    store.index.path.mkdir(parents=True)
    assert [one.run for one in store.summaries()] == ["v1@1"]


def test_a_damaged_record_is_listed_with_its_problem(workspace, make_run):
    run = make_run(workspace)
    (run.folder / "record.json").write_text("{", encoding="utf-8")
    assert "can't be read" in Store(workspace).summaries()[0].problem


def test_problems_are_found_though_size_and_time_are_forged(workspace, make_run):
    run = make_run(workspace)
    store = Store(workspace)
    assert store.problems(run) == store.problems(run) == []
    path = run.folder / "log.txt"
    before = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [one.path for one in store.problems(run)] == ["log.txt"]


class Held:
    """The `open` of pathlib, where another program lets nobody read log.txt for some attempts."""

    def __init__(self, attempts):
        self.attempts, self.real = attempts, io.open

    def __call__(self, file, *rest, **more):
        if str(file).endswith("log.txt") and self.attempts:
            self.attempts -= 1
            raise PermissionError(errno.EACCES, "used by another process")
        return self.real(file, *rest, **more)


def test_a_sealed_file_that_is_held_for_a_moment_is_waited_for(workspace, make_run, monkeypatch):
    run = make_run(workspace)
    monkeypatch.setattr(io, "open", Held(5))
    assert Store(workspace).verify(run) == []


def test_a_sealed_file_that_is_held_is_no_changed_one_for_ever(workspace, make_run, monkeypatch):
    run, store = make_run(workspace), Store(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(io, "open", Held(10**6))
        (problem,) = store.problems(run)
    assert str(problem) == "log.txt: unreadable (in use by OneDrive.exe (process 4242))"
    assert store.problems(run) == Store(workspace).problems(run) == []
