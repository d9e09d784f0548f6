"""Bad input: a clear message, the right exit code, and nothing half-written."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import subprocess
import sys

import pytest
import torch
from PIL import Image

from vault_sync.engine.disk import locking
from vault_sync.engine.disk.locking import locked

PERFORMANCE = "05-Results/Performance-Analysis.md"


def refused(answer, code, *words):
    """Check that nothing went to stdout and that the message says what it should."""
    assert answer.code == code, answer.err
    assert answer.out == ""
    for word in words:
        assert str(word) in answer.err


def test_an_unknown_experiment(thesis, workspace, contents):
    before = contents(workspace.root)
    refused(thesis("run", "v22", workspace=workspace), 3, "'v22'", "did you mean 'v2'")
    assert contents(workspace.root) == before


def test_the_second_experiment_unknown_runs_neither(thesis, workspace):
    refused(thesis("run", "v2", "v22", workspace=workspace), 3, "'v22'")
    assert list(workspace.runs.iterdir()) == []


@pytest.mark.parametrize("selector", ["v1", "v1@7", "v1@best", "@last", "student"])
def test_an_unknown_run(thesis, workspace, selector):
    refused(thesis("runs", "show", selector, workspace=workspace), 3)


def test_a_run_of_another_version_names_the_nearest(thesis, workspace, make_run):
    make_run(workspace, "v1")
    refused(thesis("runs", "show", "v1@2", workspace=workspace), 3, "v1@1")


def test_an_unknown_key_in_a_recipe(thesis, workspace, contents):
    recipe = workspace.recipes / "mine.yaml"
    recipe.write_text("extends: v2\ntrain:\n  epoch: 3\n", encoding="utf-8")
    before = contents(workspace.root)
    answer = thesis("run", "mine", workspace=workspace)
    refused(answer, 2, "mine.yaml", "'train.epoch'", "did you mean 'train.epochs'")
    assert contents(workspace.root) == before


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("train.epoch=3", "train.epochs"),
        ("train.epochs=0", "train.epochs"),
        ("train.epochs=many", "train.epochs"),
        ("model.variant=v2ultra", "v2ultra"),
        ("train.epochs", "key=value"),
    ],
)
def test_a_bad_override(thesis, workspace, change, word):
    refused(thesis("run", "v2", "--set", change, workspace=workspace), 2, word)
    assert list(workspace.runs.iterdir()) == []


def test_an_unknown_setting(thesis, workspace):
    file = workspace.root / "thesis.toml"
    file.write_text('langage = "fr"\n', encoding="utf-8")
    refused(thesis("runs", "list", workspace=workspace), 2, "thesis.toml", "language")


def test_no_workspace(thesis, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(thesis("runs", "list"), 3, "thesis.toml", "thesis init")


def test_a_missing_data_folder(thesis, workspace, tmp_path):
    nowhere = tmp_path / "nowhere"
    answer = thesis("run", "v2", "--set", f"data.root={nowhere}", workspace=workspace)
    refused(answer, 4, f"no folder {nowhere}", "correct data.root", "--set data.root=synthetic")
    named = thesis("run", "v2", "--set", "data.root=faces", workspace=workspace)
    refused(named, 4, "'faces'", "thesis.toml")
    assert not [path for path in workspace.runs.rglob("*") if path.name == "SEAL.json"]
    refused(thesis("data", "stats", nowhere, workspace=workspace), 4, "nowhere")


def test_a_data_folder_without_pictures_says_what_goes_where(thesis, tmp_path):
    refused(thesis("data", "stats", tmp_path), 4, "WIDER_val.zip", "thesis data synth")


def test_missing_ground_truth(thesis, tmp_path):
    (tmp_path / "p").mkdir()
    answer = thesis("eval", "widerface", "--predictions", tmp_path / "p", "--ground-truth", "no")
    refused(answer, 4, "no")


@pytest.fixture
def copied_set(small_set, tmp_path):
    """A set of which a test may break something."""
    return shutil.copytree(small_set, tmp_path / "copied")


def annotation(root):
    (file,) = root.rglob("wider_face_val_bbx_gt.txt")
    return file


def test_an_annotation_line_with_too_few_numbers(thesis, copied_set):
    file = annotation(copied_set)
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[2] = " ".join(lines[2].split()[:3])
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    refused(thesis("data", "stats", copied_set, "--annotation", file), 4, f"{file.name}:3")


def test_boxes_without_size_or_outside_are_skipped_and_counted(thesis, copied_set):
    file = annotation(copied_set)
    lines = file.read_text(encoding="utf-8").splitlines()
    count = int(lines[1])
    lines[1] = str(count + 2)
    lines[2:2] = ["5 5 0 9 0 0 0 0 0 0", "9000 9000 20 20 0 0 0 0 0 0"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    answer = thesis("data", "stats", copied_set, "--annotation", file, "--json")
    assert answer.code == 0
    assert sum(answer.data["skipped"].values()) == 2
    assert len(answer.json["warnings"]) == 2


def cut(path):
    path.write_bytes(path.read_bytes()[:400])


def test_a_truncated_picture(thesis, copied_set, weights, tmp_path):
    first, second = sorted((copied_set / "WIDER_val" / "images").rglob("*.jpg"))[:2]
    cut(first)
    network = ("--variant", "v2", "--weights", weights)
    drawn = ("--output", tmp_path / "drawn")
    refused(thesis("detect", first, *network, *drawn), 4, first)
    assert not (tmp_path / "drawn").exists()
    both = thesis("detect", first, second, *network, "--json")
    assert both.code == 4
    assert [row["image"] for row in both.data] == [second.as_posix()]
    assert str(first) in both.json["warnings"][0]


def test_a_truncated_picture_stops_an_evaluation(thesis, copied_set, weights):
    first = min((copied_set / "WIDER_val" / "images").rglob("*.jpg"))
    cut(first)
    answer = thesis(
        *("eval", "widerface", "--variant", "v2", "--weights", weights),
        *("--images", copied_set / "WIDER_val" / "images", "--ground-truth", copied_set),
    )
    refused(answer, 4, first)


def test_a_long_name_or_a_huge_picture_does_not_stop_a_folder(
    thesis, copied_set, weights, tmp_path
):
    first = next(copied_set.rglob("*.jpg"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("n" * 250, "e\u0301" * 80, "plain"):
        shutil.copy(first, folder / f"{name}.jpg")
    Image.new("L", (1200, 1000)).save(folder / "huge.png")
    given = ["--variant", "v2", "--weights", weights, "--output", tmp_path / "out"]
    answer = thesis("detect", folder, *given, "--max-megapixels", 1, "--json")
    assert answer.code == 4
    assert len(answer.data) == 3
    assert all(len(entry.name.encode()) <= 255 for entry in (tmp_path / "out").iterdir())
    assert len(list((tmp_path / "out").iterdir())) == 3
    assert "huge.png" in answer.err
    assert "--max-megapixels 2" in answer.err


def test_a_checkpoint_of_another_variant(thesis, workspace, weights, contents):
    before = contents(workspace.root)
    answer = thesis("model", "import", weights, "--variant", "v1", workspace=workspace)
    refused(answer, 4, "v1", "v2", weights)
    assert contents(workspace.root) == before


class Malice:
    """Unpickled, it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_pickle_that_wants_to_run_code(thesis, workspace, tmp_path, contents, how):
    file, harm = tmp_path / "evil.pth", tmp_path / "harm"
    if how == "torch":
        torch.save({"state_dict": Malice(harm)}, file)
    else:
        file.write_bytes(pickle.dumps(Malice(harm)))
    before = contents(workspace.root)
    answer = thesis("model", "import", file, "--variant", "v2", workspace=workspace)
    refused(answer, 4, "evil.pth", "code")
    assert not harm.exists()
    assert contents(workspace.root) == before


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04broken"])
def test_a_damaged_checkpoint(thesis, workspace, tmp_path, content):
    file = tmp_path / "damaged.pth"
    file.write_bytes(content)
    answer = thesis("model", "import", file, "--variant", "v2", workspace=workspace)
    refused(answer, 4, "damaged.pth")
    refused(thesis("model", "import", "no.pth", "--variant", "v2", workspace=workspace), 3)


def test_a_vault_that_is_gone(thesis, workspace, make_run):
    make_run(workspace, "v1")
    workspace.vault.rmdir()
    refused(thesis("report", "sync", workspace=workspace), 3, workspace.vault, "thesis init")
    assert not workspace.vault.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no write bit there")
def test_a_vault_that_is_read_only(thesis, workspace, make_run):
    make_run(workspace, "v1")
    workspace.vault.chmod(0o555)
    try:
        refused(thesis("report", "sync", workspace=workspace), 4, workspace.vault, "read-only")
        assert list(workspace.vault.iterdir()) == []
    finally:
        workspace.vault.chmod(0o755)


def test_an_edited_block_is_left_alone(thesis, workspace, make_run):
    make_run(workspace, "v1")
    thesis("report", "sync", workspace=workspace)
    chapter = workspace.vault / PERFORMANCE
    text = chapter.read_text(encoding="utf-8")
    edited = text.replace("71.0", "99.9", 1)
    assert edited != text
    chapter.write_bytes(edited.encode())
    make_run(workspace, "v1", metrics={"widerface.easy.ap": 0.8, "params.total": 488_664})
    answer = thesis("report", "sync", "--json", workspace=workspace)
    assert answer.code == 7
    assert answer.data["conflicts"] == [PERFORMANCE]
    assert PERFORMANCE in answer.err
    assert chapter.read_bytes() == edited.encode()
    assert list((workspace.state / "conflicts").rglob("*.md"))


def test_a_changed_record_is_refused(thesis, workspace, make_run):
    make_run(workspace, "v1")
    make_run(workspace, "v2")
    (workspace.runs / "v1" / "001" / "log.txt").write_text("changed", encoding="utf-8")
    refused(thesis("compare", "v1", "v2", workspace=workspace), 1, "v1@1", "log.txt")


def test_runs_on_different_data_are_not_compared(thesis, workspace, make_run):
    make_run(workspace, "v1")
    make_run(workspace, "v2", dataset="widerface", n=34, complete=False)
    refused(thesis("compare", "v1", "v2", workspace=workspace), 2, "synthetic", "--force")
    assert thesis("compare", "v1", "v2", "--force", workspace=workspace).code == 0


def test_a_vault_in_use(thesis, workspace, make_run, monkeypatch):
    make_run(workspace, "v1")
    monkeypatch.setattr(locking, "PATIENCE", 0.1)
    with locked(workspace.vault):
        refused(thesis("report", "sync", workspace=workspace), 5, workspace.vault)


def test_a_workspace_that_can_not_be_written(thesis, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    refused(thesis("init", file / "inside"), 4, file)
    refused(thesis("quickstart", file), 2, file)
    assert file.read_text(encoding="utf-8") == "mine"


def test_permission_denied(thesis, tmp_path, monkeypatch):
    def deny(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "mkdir", deny)
    refused(thesis("init", tmp_path / "t"), 4, "Permission denied")
    assert list(tmp_path.iterdir()) == []


def test_quickstart_overwrites_nothing(thesis, tmp_path, contents):
    (tmp_path / "note.md").write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    refused(thesis("quickstart", tmp_path), 2, "not empty", "thesis quickstart")
    assert contents(tmp_path) == before


@pytest.fixture
def full_disk(monkeypatch):
    """From the given rename on, the disk is full."""

    def fill(allowed):
        real, count = os.replace, 0

        def replace(source, target, **extra):
            nonlocal count
            count += 1
            if count > allowed:
                raise OSError(errno.ENOSPC, "No space left on device", str(target))
            real(source, target, **extra)

        monkeypatch.setattr(os, "replace", replace)

    return fill


def leftovers(root):
    return [path for path in root.rglob("*") if path.name.endswith(".tmp")]


def test_a_full_disk_while_importing(thesis, workspace, weights, full_disk):
    full_disk(0)
    answer = thesis("model", "import", weights, "--variant", "v2", workspace=workspace)
    refused(answer, 4, "No space left", "free some space")
    assert list((workspace.root / "weights").iterdir()) == []


@pytest.mark.parametrize("allowed", [0, 1, 2, 5])
def test_a_full_disk_while_syncing_leaves_whole_files(
    thesis, workspace, make_run, contents, full_disk, monkeypatch, allowed
):
    make_run(workspace, "v1")
    with_room = os.replace
    full_disk(allowed)
    refused(thesis("report", "sync", workspace=workspace), 4)
    monkeypatch.setattr(os, "replace", with_room)
    assert leftovers(workspace.vault) == []
    partly = {name for name, content in contents(workspace.vault).items() if content == b""}
    assert not partly
    assert thesis("report", "sync", workspace=workspace).code == 0
    again = thesis("report", "sync", "--json", workspace=workspace)
    assert again.data["written"] == []


@pytest.mark.external
@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk, as Linux does it")
def test_a_disk_that_is_really_full(thesis, tmp_path, weights):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this user can't mount a small disk")
    try:
        root = disk / "t"
        assert thesis("init", root).code == 0
        answer = thesis("model", "import", weights, "--variant", "v2", "--workspace", root)
        refused(answer, 4, "can't write", "free some space")
        assert list((root / "weights").iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
