"""A copy of the source tree in which a fault can be made, and pytest run on it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from mutations.catalogue import Mutation

LEFT_OUT = ("__pycache__", "*.egg-info", "*.pyc", "build", "dist", "demo")
"""Beside hidden folders and environments. Bytecode kept beside a source of equal size and time
would be run in its place, and the fault with it would not."""
SUMMARY = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)
ORIGINS = "import importlib.util, sys; [print(importlib.util.find_spec(n).origin) for n in {!r}]"
FAILED, INTERRUPTED, NOTHING_SELECTED = 1, 2, 5
"""Exit codes of pytest; a collection error interrupts."""


class ForeignImportError(Exception):
    """Another copy of the packages would be imported and tested; the message names it."""


@dataclass(frozen=True, kw_only=True)
class PytestResult:
    """How one call of pytest ended."""

    code: int | None
    """Exit code; None where the time ran out."""
    failed: tuple[str, ...]
    """Node ids of what failed, in order."""
    output: str
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether a test failed, could not be imported, hung, or the process crashed."""
        if self.code is None or self.code < 0:
            return True
        return self.code in (FAILED, INTERRUPTED) and bool(self.failed)


class SourceCopy:
    """One copy of the tree, for one worker."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.tree = folder / "tree"
        self._folder = folder
        shutil.copytree(root, self.tree, ignore=_left_out, symlinks=True)
        self._environment = _environment(self.tree)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def check_imports(self, packages: Iterable[str]) -> None:
        """Make sure that PACKAGES are imported from this copy, wherever a test starts Python.

        Raises:
            ForeignImportError: one is imported from elsewhere, such as an installed one.
        """
        command = [sys.executable, "-c", ORIGINS.format(sorted(packages))]
        answer = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, check=True
        )
        for origin in answer.stdout.decode().splitlines():
            if not origin.startswith(str(self.tree)):
                raise ForeignImportError(f"{origin} would be tested, not the copy in {self.tree}")

    @contextlib.contextmanager
    def mutated(self, mutation: Mutation) -> Iterator[None]:
        """Have the fault in the copy inside the block."""
        path = self.tree / mutation.file
        before = path.read_bytes()
        path.write_bytes(mutation.mutated_file(self.tree))
        try:
            yield
        finally:
            path.write_bytes(before)

    def pytest(self, arguments: Sequence[str], timeout: float) -> PytestResult:
        """Run pytest with ARGUMENTS in the copy, at most TIMEOUT seconds."""
        report = self._folder / "report.txt"
        base = f"--basetemp={self._folder / 'tmp'}"
        plain = ["-q", "--tb=line", "-p", "no:cacheprovider", "--color=no", base]
        command = [sys.executable, "-m", "pytest", *plain, *arguments]
        began = time.monotonic()
        with report.open("wb") as file:  # not a pipe: what a test leaves running would hold it open
            code = self._wait(command, file, timeout)
        output = report.read_text(encoding="utf-8", errors="replace")
        return PytestResult(
            code=code,
            failed=tuple(SUMMARY.findall(output)),
            output=output,
            seconds=time.monotonic() - began,
        )

    def stop(self) -> None:
        """End what runs in the copy, and let nothing begin."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                _kill_tree(self._process.pid)

    def _wait(self, command: list[str], file: object, timeout: float) -> int | None:
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            self._process = subprocess.Popen(
                command,
                cwd=self.tree,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            _kill_tree(self._process.pid)
            self._process.wait()
            return None


def _left_out(folder: str, names: list[str]) -> set[str]:
    hidden = {name for name in names if name.startswith(".")}
    environments = {name for name in names if os.path.isfile(f"{folder}/{name}/pyvenv.cfg")}  # noqa: PTH113 - as copytree gives them
    return hidden | environments | shutil.ignore_patterns(*LEFT_OUT)(folder, names)


def _environment(tree: Path) -> dict[str, str]:
    """Let the copy alone be imported: it stands before an editable install."""
    chosen = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **chosen}


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for child in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
