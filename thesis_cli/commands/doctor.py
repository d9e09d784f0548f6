"""`thesis doctor`: is everything here that the work needs, and if not, what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.records.checkout import findings, mend
from experiments.wording.shell_quote import command
from featherface.errors import ThesisError
from thesis_cli.calling import called
from thesis_cli.errors import ENVIRONMENT
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.health import Check, accelerators, torch_build
from thesis_cli.output import Block, emit, json_option
from thesis_cli.platforms import InstallPlace, lacking
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.workspace.workspace import Workspace
    from thesis_cli.session import Session

OLDEST_PYTHON = (3, 11)
ENOUGH_DISK = 2 * 2**30
LEAST_DISK = 200 * 2**20
ENOUGH_MEMORY = 3 * 2**30


@click.command(cls=Command)
@click.option(
    "--fix",
    is_flag=True,
    help="Tell git which files to leave as they are; put line ends of records back as sealed.",
)
@json_option
@click.pass_context
@pass_session
def doctor(session: Session, context: click.Context, fix: bool, as_json: bool) -> None:
    """Check that everything needed is here."""
    del as_json
    for mended in mend(session.workspace) if fix else ():
        session.note(mended)
    checks = [python(), *libraries(), memory(), git(), *places(session)]
    emit(session, "doctor", [each._asdict() for each in checks], view)
    if any(each.status == "failure" for each in checks):
        context.exit(ENVIRONMENT)


def view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the checks, then say what to do."""
    cells = [[row["status"], row["name"], row["found"]] for row in rows]
    bad = [row for row in rows if row["status"] != "ok"]
    blocks: list[Block] = [Grid(["", "what", "~found"], cells)]
    if bad:  # below the table, where no column breaks a command in two
        blocks += ["what to do:", *(f"  {row['name']}: {called(row['advice'])}" for row in bad)]
    return [*blocks, f"{len(bad)} to look at" if bad else "everything is here"]


def python() -> Check:
    """Check the interpreter."""
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "failure", version, "install Python 3.11 or later")
    if reason := lacking(InstallPlace.here()):
        return Check("python", "warning", version, reason)
    return Check("python", "ok", version)


def libraries() -> Iterator[Check]:
    """Check that torch and ONNX Runtime load, and how many threads and devices they have."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Check("torch", "failure", str(error), reinstall("torch"))
    else:
        yield torch_build()
        yield from accelerators()
        yield threads(torch.get_num_threads())
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        yield Check("onnxruntime", "warning", str(error), reinstall("onnxruntime"))
    else:
        yield Check("onnxruntime", "ok", onnxruntime.__version__)


def reinstall(package: str) -> str:
    """Give the command that installs PACKAGE anew into this Python."""
    return command([sys.executable, "-m", "pip", "install", "--force-reinstall", package])


def threads(used: int) -> Check:
    """Check that the processor is used."""
    cores = os.cpu_count() or 1
    cores_used = f"{used} of {cores} cores"
    if used < cores // 2:
        return Check("threads", "warning", cores_used, "unset OMP_NUM_THREADS, or raise it")
    return Check("threads", "ok", cores_used)


def memory() -> Check:
    """Check that a training fits."""
    import psutil

    free = psutil.virtual_memory().available
    space = f"{quantity(free / 2**30, 'GiB', '.1f')} free"
    if free < ENOUGH_MEMORY:
        return Check("memory", "warning", space, "close programs, or lower train.batch_size")
    return Check("memory", "ok", space)


def git() -> Check:
    """Check that records can say which code ran."""
    path = shutil.which("git")
    if path is None:
        return Check("git", "warning", "not found", "install git: records then name the commit")
    return Check("git", "ok", path)


def places(session: Session) -> Iterator[Check]:
    """Check the workspace, its disk, its vault and its data."""
    try:
        workspace = session.workspace
    except ThesisError as error:
        yield Check("workspace", "warning", error.message, error.hint or "thesis init")
        yield disk(Path.cwd())
        return
    yield writable("workspace", workspace.root, "choose a workspace you may write to")
    yield disk(workspace.root)
    yield vault(workspace)
    yield from (Check(*each) for each in findings(workspace))
    for name, root in workspace.data_roots.items():
        yield data_root(name, root)


def disk(folder: Path) -> Check:
    """Check the free space."""
    free = shutil.disk_usage(folder).free
    space = f"{quantity(free / 2**30, 'GiB', '.1f')} free at {folder}"
    if free < LEAST_DISK:
        return Check("disk", "failure", space, "free some space")
    if free < ENOUGH_DISK:
        return Check("disk", "warning", space, "free some space: a run keeps its checkpoints")
    return Check("disk", "ok", space)


def writable(name: str, folder: Path, advice: str) -> Check:
    """Check that FOLDER may be written, without writing."""
    read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    if read_only or not os.access(folder, os.W_OK | os.X_OK):
        return Check(name, "failure", f"{folder} is read-only", advice)
    return Check(name, "ok", str(folder))


def vault(workspace: Workspace) -> Check:
    """Check that the vault is there and may be written."""
    if not workspace.vault.is_dir():
        make = command(["thesis", "init", str(workspace.root)])
        advice = f"mount it, correct `vault` in thesis.toml, or: {make}"
        return Check("vault", "failure", f"no folder {workspace.vault}", advice)
    return writable("vault", workspace.vault, "make the vault writable")


def data_root(name: str, root: Path) -> Check:
    """Check that a data set is where thesis.toml says."""
    if root.is_dir():
        return Check(f"data {name}", "ok", str(root))
    if name == "synthetic":
        return Check(f"data {name}", "ok", "drawn by the first run", "")
    advice = f"correct {name} under [data] in thesis.toml"
    return Check(f"data {name}", "warning", f"no folder {root}", advice)
