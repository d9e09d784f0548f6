"""Platforms on which the pinned packages install, checked before anything is downloaded.

Lean: `dev.py` imports it, before anything is installed. What is known was asked of PyPI, package by
package, for the versions in constraints.txt.
"""

from __future__ import annotations

import importlib
import platform
import re
import struct
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath

OLDEST, NEWEST = (3, 11), (3, 14)
"""Pythons that every pinned package has wheels for."""
OLDEST_FOR_TESTS = (3, 11, 5)
"""What soupsieve and pymdown-extensions want, which only the tests use."""
UNUSABLE = {(3, 14, 1): "networkx refuses it, for a defect of its own"}
OLDEST_MACOS = (14, 0)
OLDEST_GLIBC = (2, 28)
LONGEST = 167
"""Characters of the longest path below site-packages, a licence in torch's."""
MAX_PATH = 259
"""Characters of a path in Windows, unless long paths are enabled."""
PACKAGES = PureWindowsPath("Lib", "site-packages")


@dataclass(frozen=True)
class InstallPlace:
    """A Python and the system under it."""

    version: tuple[int, int, int]
    system: str
    """As sysconfig names the platform: `win-amd64`, `macosx-11.0-arm64`, `linux-x86_64`."""
    machine: str
    """Of the running Python, such as `x86_64`, `AMD64` or `arm64`."""
    bits: int = 64
    implementation: str = "cpython"
    threaded: bool = False
    """Whether it is a build without the global lock."""
    macos: tuple[int, int] = (0, 0)
    glibc: tuple[int, int] = (0, 0)
    """(0, 0) where it is another C library, or not Linux."""

    @classmethod
    def here(cls) -> InstallPlace:
        """Describe the Python that runs."""
        library, version = platform.libc_ver()
        return cls(
            version=sys.version_info[:3],
            system=sysconfig.get_platform(),
            machine=platform.machine(),
            bits=8 * struct.calcsize("P"),
            implementation=sys.implementation.name,
            threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            macos=_numbers(platform.mac_ver()[0]),
            glibc=_numbers(version) if library == "glibc" else (0, 0),
        )


def _numbers(text: str) -> tuple[int, int]:
    numbers = [int(number) for number in re.findall(r"\d+", text)[:2]]
    return (*numbers, 0, 0)[0], (*numbers, 0, 0)[1]


def lacking(place: InstallPlace, *, tests: bool = False) -> str | None:
    """Say why the pinned packages can't be installed in PLACE and what to do; None if they can."""
    return _python(place, tests=tests) or _system(place)


def _python(place: InstallPlace, *, tests: bool) -> str | None:
    version, wanted = place.version, f"{_dotted(OLDEST)} to {_dotted(NEWEST)}"
    reasons = {
        f"; {_dotted(OLDEST)} or later is needed": version < OLDEST,
        f"; the packages that are needed exist for {wanted}": version[:2] > NEWEST,
        f"; {UNUSABLE.get(version)}; take another of {wanted}": version in UNUSABLE,
        " without the global lock; take the usual build": place.threaded,
        f"; the tests need {_dotted(OLDEST_FOR_TESTS)} or later": tests
        and version < OLDEST_FOR_TESTS,
        f" as {place.implementation}; PyTorch needs CPython": place.implementation != "cpython",
    }
    reason = next((text for text, holds in reasons.items() if holds), None)
    if reason is None:
        return None
    return f"this is Python {_dotted(version)}{reason}: https://www.python.org/downloads/"


def _system(place: InstallPlace) -> str | None:
    if place.bits != 64:
        return f"this is a Python of {place.bits} bits; PyTorch needs the one of 64 bits"
    if place.system.startswith("win"):
        return _windows(place)
    if place.system.startswith("macosx"):
        return _macos(place)
    return _linux(place) if place.system.startswith("linux") else None


def _windows(place: InstallPlace) -> str | None:
    if place.system != "win-arm64":
        return None
    return (
        "PyTorch has no package for a Python for ARM on Windows; install Python for x86-64 (the"
        " 'Windows installer (64-bit)'), which Windows on ARM runs too"
    )


def _macos(place: InstallPlace) -> str | None:
    if place.machine == "x86_64":
        return (
            "PyTorch has no package for Intel Macs since its version 2.3. On a Mac with Apple"
            " silicon this Python is one for Intel: install the universal one from"
            " https://www.python.org/downloads/macos/. On an Intel Mac use another machine"
        )
    if (0, 0) < place.macos < OLDEST_MACOS:
        return (
            f"this is macOS {_dotted(place.macos)}; PyTorch and ONNX Runtime need"
            f" {OLDEST_MACOS[0]} or later: update macOS"
        )
    return None


def _linux(place: InstallPlace) -> str | None:
    if place.machine not in {"x86_64", "aarch64"}:
        return f"PyTorch has no package for {place.machine}, only for x86_64 and aarch64"
    if place.glibc == (0, 0):
        return "this system has no glibc (it may be Alpine's musl), which PyTorch's packages need"
    if place.glibc < OLDEST_GLIBC:
        return (
            f"this system's glibc is {_dotted(place.glibc)}; PyTorch's packages need"
            f" {_dotted(OLDEST_GLIBC)} or later, as in Debian 10, Ubuntu 20.04 or RHEL 8"
        )
    return None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def cramped(environment: PurePath, build: str, again: str) -> str | None:
    """Say that paths in ENVIRONMENT would be too long for Windows; None where they won't be.

    AGAIN is the command to type, with a place for a shorter folder of the environment.
    """
    over = 0 if long_paths() else too_long(environment, build)
    if over <= 0:
        return None
    return (
        f"Windows allows paths of {MAX_PATH} characters, and PyTorch's in {environment} would have"
        f" {over} more. Type: {again.format(PureWindowsPath(environment.anchor, 'v'))}\n"
        "  or move this folder up, or enable long paths:"
        " https://docs.python.org/3/using/windows.html"
    )


def too_long(environment: PurePath, build: str = "") -> int:
    """Return by how many characters torch's longest path in ENVIRONMENT, on Windows, is too long.

    BUILD (`cu126`) stands in the name of its folder. 0 or less: it fits.
    """
    local = len(f"+{build}") if build else 0
    return len(str(environment)) + len(f"\\{PACKAGES}\\") + LONGEST + local - MAX_PATH


def long_paths(system: str = sys.platform) -> bool:
    """Tell whether paths may be longer than MAX_PATH; on Windows only where that was enabled."""
    if system != "win32":
        return True
    registry = importlib.import_module("winreg")
    key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key) as opened:
            return bool(registry.QueryValueEx(opened, "LongPathsEnabled")[0])
    except OSError:
        return False
