"""A virtual environment that holds one wheel and what it declares, made without a download."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
import venv
import zipfile
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement


def requirements(texts: list[str], extras: frozenset[str] = frozenset()) -> list[Requirement]:
    """Return what TEXTS ask for on this system, with EXTRAS."""
    parsed = [Requirement(text) for text in texts]
    wanted = [{"extra": extra} for extra in extras or {""}]
    return [each for each in parsed if not each.marker or any(map(each.marker.evaluate, wanted))]


def declared(wheel: Path) -> list[metadata.Distribution]:
    """Return the installed distributions that WHEEL asks for, and those that they ask for."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(name).decode())
    waiting = requirements(headers.get_all("Requires-Dist", []))
    found: dict[tuple[str, frozenset[str]], metadata.Distribution] = {}
    while waiting:
        wanted = waiting.pop()
        key = (wanted.name, frozenset(wanted.extras))
        if key not in found:
            found[key] = metadata.distribution(wanted.name)
            waiting += requirements(found[key].requires or [], key[1])
    return list({each.name: each for each in found.values()}.values())


def place(source: Path, target: Path) -> None:
    """Let TARGET be the file SOURCE, without a copy where the disk can do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for way in (os.link, os.symlink, shutil.copy2):
        try:
            way(source, target)
        except OSError:
            continue
        return
    pytest.fail(f"{source} can't be placed at {target}")


def lone_environment(folder: Path, wheel: Path) -> Path:
    """Make a virtual environment at FOLDER with what WHEEL declares; return its Python.

    The files are those of the environment that runs the tests, which pip has filled; bytecode goes
    along, as it fits their times. WHEEL itself isn't installed.
    """
    venv.create(folder)
    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=base))
    for distribution in declared(wheel):
        for file in distribution.files or pytest.fail(f"no files of {distribution.name} are known"):
            source = Path(distribution.locate_file(file))
            if ".." in file.parts or file.suffix == ".pyc" or not source.is_file():
                continue  # programs, which nothing of ours starts
            place(source, packages / file)
            if file.suffix == ".py" and sys.pycache_prefix is None:
                compiled = Path(importlib.util.cache_from_source(str(source)))
                if compiled.is_file():
                    place(compiled, packages / file.parent / "__pycache__" / compiled.name)
    return Path(sysconfig.get_path("scripts", "venv", vars=base)) / "python"
