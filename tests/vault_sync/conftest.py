"""What the vault's tests share: a filled vault, golden files with an explicit accept flag, and the
ways in which the systems let a folder be written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest
from stand_ins.folders import contents

from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync
from vault_sync.engine.disk import descriptors, folder, folders, paths, windows
from vault_sync.engine.disk.descriptors import DescriptorFolder
from vault_sync.engine.disk.paths import PathFolder

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--accept-golden", action="store_true", help="write the golden files of rendered notes anew"
    )


@pytest.fixture(autouse=True)
def _computed_once(resampled_once, described_once):
    """Most syncs see the same made-up runs and networks, each in a workspace of its own."""


@pytest.fixture
def golden(request):
    """Compare a text with tests/vault_sync/golden/NAME (THESIS_ACCEPT_GOLDEN=1 accepts too)."""
    flag = request.config.getoption("--accept-golden", default=False)
    accept = flag or os.environ.get("THESIS_ACCEPT_GOLDEN") == "1"

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if accept:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"no golden file {name}; accept with --accept-golden"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def thesis(synced_copy):
    """Give, for a language, a workspace with a teacher and a student run and a synced vault."""
    return synced_copy


@pytest.fixture
def changed(thesis, make_run, tmp_path):
    """A vault with work to do: the workspace, its vault before, and the vault as it shall be."""
    workspace = thesis()
    before = contents(workspace.vault)
    make_run(workspace, "v3", variant="v2")
    other = Workspace.open(shutil.copytree(workspace.root, tmp_path / "other" / "en"))
    sync(other)
    drawn = workspace.state / "cache" / "figures"
    shutil.copytree(other.state / "cache" / "figures", drawn, dirs_exist_ok=True)
    return workspace, before, contents(other.vault)


def stamps(vault: Path) -> dict[str, tuple[int, int, int]]:
    """Return each file's modification time, inode and size."""
    return {
        path.relative_to(vault).as_posix(): (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        for path in sorted(vault.rglob("*"))
        if path.is_file()
        for stat in [path.stat()]
    }


@pytest.fixture(name="stamps")
def _stamps():
    return stamps


class Kernel32:
    """Windows' functions over the files of this system, with the failures they document."""

    def __init__(self):
        self.code = 0
        self.failures = []
        """Codes with which the next calls of ReplaceFileW fail; 0: it works."""

    def ReplaceFileW(self, replaced, replacement, backup, *_):  # noqa: N802 - its name
        self.code = self.failures.pop(0) if self.failures else 0
        if not os.path.lexists(replaced):
            self.code = 2
        if self.code not in (0, 1177):
            return 0
        Path(replaced).rename(backup)
        folder.between()
        if self.code == 1177 or os.path.lexists(replaced):
            self.code = 1177
            return 0
        Path(replacement).rename(replaced)
        return 1

    def CreateFileW(self, path, *_):  # noqa: N802 - as above
        try:
            return os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            self.code = 2
            return windows.NO_HANDLE


class FailingKernel32(Kernel32):
    """Windows' own functions, with the same failures where a test asks for them."""

    def __init__(self, library, last_error):
        super().__init__()
        self.library, self.last_error = library, last_error

    def ReplaceFileW(self, *arguments):  # noqa: N802 - as above
        if any(self.failures[:1]):
            return super().ReplaceFileW(*arguments)
        self.failures[:1] = []
        done = self.library.ReplaceFileW(*arguments)
        self.code = self.last_error()
        return done

    def CreateFileW(self, *arguments):  # noqa: N802 - as above
        handle = self.library.CreateFileW(*arguments)
        self.code = self.last_error()
        return handle


def by_descriptors(monkeypatch):
    """Linux and macOS: two files are exchanged in one step."""
    if not descriptors.AVAILABLE:
        pytest.skip("needs folder descriptors")
    return DescriptorFolder


def by_two_renames(monkeypatch):
    """A network drive or a USB stick there: nothing can be exchanged."""
    monkeypatch.setattr(descriptors, "rename", lambda *_: False)
    return by_descriptors(monkeypatch)


def by_paths(monkeypatch):
    """A disk on Windows that does not know `ReplaceFileW`."""
    monkeypatch.setattr(folders, "_DESCRIPTORS", False)
    monkeypatch.setattr(paths, "BLINK", (0.001,))
    monkeypatch.setattr(windows, "kernel", lambda: None)
    return PathFolder


def by_windows(monkeypatch):
    """Windows: `ReplaceFileW` leaves what came out under a name of its own."""
    real = windows.kernel()
    kernel = Kernel32() if real is None else FailingKernel32(real, windows.last_error)
    way = by_paths(monkeypatch)
    monkeypatch.setattr(windows, "kernel", lambda: kernel)
    monkeypatch.setattr(windows, "last_error", lambda: kernel.code)
    return way


WAYS = {
    "descriptors": by_descriptors,
    "two renames": by_two_renames,
    "paths": by_paths,
    "windows": by_windows,
}


@pytest.fixture(params=list(WAYS))
def every_way(request, monkeypatch):
    """Run a test of the engine in each way there is; the class of a folder is returned."""
    return WAYS[request.param](monkeypatch)


@pytest.fixture(params=["descriptors", "windows"])
def both_ways(request, monkeypatch):
    """Run a test of a door as on POSIX and as on Windows; the class of a folder is returned."""
    return WAYS[request.param](monkeypatch)


@pytest.fixture
def links(tmp_path_factory):
    """Skip where no symbolic links are made: Windows asks for a right that few users have."""
    folder = tmp_path_factory.mktemp("links")
    with contextlib.suppress(OSError):
        (folder / "link").symlink_to(folder)
    if not (folder / "link").is_symlink():
        pytest.skip("needs the right to make symbolic links")


@pytest.fixture
def this_way():
    """Return the line that lets another process write in the way that this test does."""
    return lambda: (
        f"import vault_sync.engine.disk.folders as f; f._DESCRIPTORS = {folders._DESCRIPTORS}\n"
    )
