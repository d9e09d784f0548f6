"""A record is what its folder says: copied, renamed, moved and resealed ones are found out."""

import dataclasses
import json
import os
import shutil

import pytest

from experiments.comparison.compare import compare
from experiments.records.record import Record
from experiments.records.run import Run
from experiments.records.seal import SEAL, digest, members, seal, strays, verify
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.errors import ClaimFalseError, DataError


def kinds(problems):
    return [(problem.path, problem.kind) for problem in problems]


def as_schema_1(run):
    """Write the seal of RUN as earlier versions did, which named no run."""
    content = json.loads((run.folder / SEAL).read_text(encoding="utf-8"))
    files = content["files"]
    old = {"schema": 1, "seal": digest(files), "files": files}
    (run.folder / SEAL).write_text(json.dumps(old), encoding="utf-8")
    return Run(run.folder)


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize("where", ["v2-ultra/001", "v2/002", "v2/0001"])
def test_a_copied_record_is_no_other_run(workspace, make_run, schema, where):
    run = make_run(workspace, "v2")
    if schema == 1:
        run = as_schema_1(run)
    assert verify(run.folder) == []
    copy = shutil.copytree(run.folder, workspace.runs / where)
    (problem,) = verify(copy)
    assert (problem.path, problem.kind) == (".", "misplaced")
    verb = "sealed" if schema == 2 else "recorded"
    assert problem.detail.startswith(f"{verb} as v2@1, lies at ")


def test_a_moved_or_renamed_record_is_refused_everywhere(workspace, make_run):
    run, other = make_run(workspace, "v2"), make_run(workspace, "v1")
    run.folder.parent.rename(workspace.runs / "v2-ultra")
    store = Store(workspace)
    moved = store.find("v2-ultra")
    assert kinds(store.problems(moved)) == [(".", "misplaced")]
    with pytest.raises(ClaimFalseError, match="sealed as v2@1, lies at v2-ultra@1"):
        compare([other, moved], store=store)


def test_a_folder_that_is_a_link_to_another_record_is_found_out(workspace, make_run):
    run = make_run(workspace, "v2")
    link = workspace.runs / "v2" / "002"
    link.symlink_to(run.folder, target_is_directory=True)
    assert kinds(Store(workspace).problems(Run(link))) == [(".", "misplaced")]


def test_a_record_on_another_disk_behind_a_link_is_right(workspace, make_run, tmp_path):
    run = make_run(workspace, "v2")
    shutil.move(run.folder, tmp_path / "large")
    run.folder.symlink_to(tmp_path / "large", target_is_directory=True)
    assert Store(workspace).problems(Run(run.folder)) == []


def test_a_moved_workspace_is_the_same(workspace, make_run, tmp_path):
    make_run(workspace, "v2")
    Store(workspace).remember()
    workspace.root.rename(tmp_path / "elsewhere")
    store = Store(Workspace.open(tmp_path / "elsewhere"))
    assert [store.problems(run) for run in store.runs()] == [[]]


def test_the_seal_covers_whose_it_is(workspace, make_run):
    run = make_run(workspace, "v2")
    copy = shutil.copytree(run.folder, workspace.runs / "v3" / "001")
    content = json.loads((copy / SEAL).read_text(encoding="utf-8"))
    (copy / SEAL).write_text(json.dumps(content | {"experiment": "v3"}), encoding="utf-8")
    assert [str(one) for one in verify(copy)] == ["SEAL.json: changed (its own digest is wrong)"]


def test_a_record_of_another_run_is_not_sealed(workspace, make_run):
    run = make_run(workspace, "v2")
    copy = shutil.copytree(run.folder, workspace.runs / "v3" / "001")
    with pytest.raises(DataError, match="is of v2@1, and lies at v3@1"):
        seal(copy)


def test_a_seal_and_a_record_of_two_runs_contradict_each_other(workspace, make_run):
    run = make_run(workspace, "v2")
    dataclasses.replace(run.record, uid="another").write(run.folder)
    assert ("record.json", "misplaced") in kinds(verify(run.folder))


def test_a_copy_that_calls_itself_another_run_in_record_and_seal_is_known(workspace, make_run):
    run = make_run(workspace, "v2")
    dataclasses.replace(run.record, uid="drawn").write(run.folder)
    seal(run.folder)
    Store(workspace).remember()
    copy = workspace.runs / "v2-ultra" / "001"
    shutil.copytree(run.folder, copy)
    dataclasses.replace(Record.read(copy), experiment="v2-ultra").write(copy)
    seal(copy)
    (problem,) = Store(workspace).problems(Run(copy))
    assert str(problem) == "record.json: misplaced (a copy of v2@1, under another name)"
    assert not Store(workspace).problems(Run(run.folder))


def test_two_runs_of_one_name_have_different_seals(workspace, make_run):
    run = make_run(workspace, "v2")
    first = run.seal
    dataclasses.replace(Record.read(run.folder), uid="another").write(run.folder)
    assert seal(run.folder).digest != first


@pytest.mark.parametrize("place", ["", "plots/"])
def test_what_file_managers_leave_is_told_and_harms_nothing(workspace, make_run, place):
    run = make_run(workspace)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".results.json.0a1b2c3d.tmp"):
        (run.folder / place / name).write_bytes(b"x")
    assert verify(run.folder) == []
    assert len(strays(run.folder)) == 4


@pytest.mark.parametrize("place", ["", "plots/"])
def test_nothing_hides_behind_the_name_of_a_file_that_no_seal_covers(workspace, make_run, place):
    run = make_run(workspace)
    names = ["Thumbs.db.txt", ".x.tmp", "thumbs.db"]
    folders = ["Thumbs.db", "heartbeat.json", *(["SEAL.json"] if place else [])]
    for name in names:
        (run.folder / place / name).write_bytes(b"x")
    for name in folders:
        (run.folder / place / name).mkdir()
        (run.folder / place / name / "more.txt").write_bytes(b"x")
    (run.folder / place / "desktop.ini").symlink_to(run.folder / "results.json")
    expected = {f"{place}{name}" for name in [*names, "desktop.ini"]}
    expected |= {f"{place}{name}/" for name in folders}
    expected |= {f"{place}{name}/more.txt" for name in folders}
    assert {one.path for one in verify(run.folder)} == expected
    assert {one.kind for one in verify(run.folder)} == {"added"}


@pytest.mark.parametrize("name", ["SEAL.json", "heartbeat.json"])
def test_an_own_name_counts_at_the_top_only(workspace, make_run, name):
    run = make_run(workspace)
    (run.folder / "plots" / name).write_text("{}", encoding="utf-8")
    assert kinds(verify(run.folder)) == [(f"plots/{name}", "added")]


def test_a_folder_called_as_the_seal_makes_no_run_sealed(workspace, make_run):
    run = make_run(workspace, status="interrupted")
    (run.folder / SEAL).mkdir()
    assert not Run(run.folder).sealed
    with pytest.raises(DataError, match="is a folder of a file's name"):
        seal(run.folder)


def test_the_quick_check_sees_an_added_empty_folder_of_such_a_name(workspace, make_run):
    run, store = make_run(workspace), Store(workspace)
    assert store.problems(run) == []
    (run.folder / "plots" / "SEAL.json").mkdir()
    assert kinds(store.problems(run)) == [("plots/SEAL.json/", "added")]


def test_the_quick_check_looks_at_what_a_link_leads_to(workspace, make_run, tmp_path):
    run, store = make_run(workspace), Store(workspace)
    file, kept = run.folder / "log.txt", tmp_path / "annex" / "log.txt"
    kept.parent.mkdir()
    file.rename(kept)
    file.symlink_to(kept)
    assert store.problems(run) == store.problems(run) == []  # as git-annex keeps large files
    before = kept.stat()
    kept.write_bytes(kept.read_bytes().swapcase())
    os.utime(kept, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kinds(store.problems(run)) == [("log.txt", "changed")]
    kept.unlink()
    assert kinds(store.problems(run)) == [("log.txt", "unreadable")]


def test_a_whole_record_kept_by_links_is_intact(workspace, make_run, tmp_path):
    run = make_run(workspace)
    for place, name in enumerate([*members(run.folder), SEAL]):
        kept = tmp_path / f"{place}"
        (run.folder / name).rename(kept)
        (run.folder / name).symlink_to(kept)
    assert verify(run.folder) == []


@pytest.mark.parametrize("forged", [{"value": 0.9}, {"n": 81}])
def test_a_value_that_its_matches_disprove_never_passes(workspace, make_run, forged):
    other = make_run(workspace, "v1", matches=True)
    run = make_run(workspace, "v2", matches=True)
    path = run.folder / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    results["metrics"][0] |= forged
    path.write_text(json.dumps(results), encoding="utf-8")
    seal(run.folder)
    store = Store(workspace)
    assert kinds(store.problems(run)) == [("results.json", "contradicted")]
    assert kinds(store.problems(run)) == kinds(store.verify(run))
    with pytest.raises(ClaimFalseError, match="its matches"):
        compare([other, Run(run.folder)], store=store)


def test_results_that_are_sealed_and_no_results_are_told(workspace, make_run):
    run = make_run(workspace)
    (run.folder / "results.json").write_text("[]", encoding="utf-8")
    seal(run.folder)
    assert kinds(Store(workspace).problems(run)) == [("results.json", "contradicted")]
