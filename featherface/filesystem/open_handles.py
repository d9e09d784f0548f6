"""Programs that hold a file open, by Windows' Restart Manager or the processes' open files.

Best effort and bounded in time. A virus scanner can't be looked into by a user's process, so
where nobody is found the known suspects that run here are named as a guess.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import time
from ctypes import POINTER, c_uint32, c_wchar, c_wchar_p
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import psutil

SECONDS = 3.0
"""Most that the search may take."""
NAMED = 3
"""Programs named in one sentence."""
INSIDE = 200
"""Files of a folder that are asked about: the Restart Manager knows no folders."""
SUSPECTS = {
    "obsidian": "Obsidian",
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "googledrivefs": "Google Drive",
    "nextcloud": "Nextcloud",
    "syncthing": "Syncthing",
    "iclouddrive": "iCloud Drive",
    "bird": "iCloud Drive",
    "excel": "Excel",
    "msmpeng": "the virus scanner (Microsoft Defender)",
}
"""What holds files for a moment on a student's machine, by the stem of its program's name."""
GUESS = "another program, perhaps a virus scanner, Obsidian or a sync client (OneDrive, Dropbox)"
MORE_DATA = 234
"""ERROR_MORE_DATA: there are more holders than there was room for."""


class UniqueProcess(ctypes.Structure):
    """RM_UNIQUE_PROCESS of restartmanager.h; sizes as Windows has them on every system."""

    _fields_ = (("pid", c_uint32), ("started", 2 * c_uint32))


class ProcessInfo(ctypes.Structure):
    """RM_PROCESS_INFO of restartmanager.h."""

    _fields_ = (
        ("process", UniqueProcess),
        ("name", 256 * c_wchar),
        ("service", 64 * c_wchar),
        ("kind", ctypes.c_int),
        ("status", c_uint32),
        ("session", c_uint32),
        ("restartable", c_uint32),
    )


def describe(paths: Sequence[Path]) -> str:
    """Say who holds one of PATHS, such as `OneDrive.exe (process 4242)`; else a guess."""
    programs = within(SECONDS, lambda: holders(paths)) or ()
    if programs:
        return " and ".join(programs[:NAMED])
    running = within(SECONDS, lambda: list(suspects())) or ()
    if running:
        return f"another program, perhaps {' or '.join(running[:NAMED])} (running here)"
    return GUESS


def holders(paths: Sequence[Path]) -> list[str]:
    """Return who has one of PATHS open, or a file below it, each `NAME (process ID)`."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError, AttributeError):
            if programs := from_restart_manager(ctypes.WinDLL("rstrtmgr"), paths):
                return programs
    return list(from_processes(paths))


def suspects() -> Iterator[str]:
    """Name the known suspects that run on this machine."""
    import psutil  # noqa: PLC0415 - only where a file is held

    stems = {_name(process).split(".")[0].lower() for process in psutil.process_iter()}
    yield from dict.fromkeys(name for stem, name in SUSPECTS.items() if stem in stems)


def from_processes(paths: Sequence[Path]) -> Iterator[str]:
    """Ask every process that may be asked for its open files."""
    import psutil  # noqa: PLC0415 - as above

    wanted = [os.path.normcase(os.path.realpath(path)) for path in paths]
    end = time.monotonic() + SECONDS
    for process in psutil.process_iter():
        if time.monotonic() > end:
            return
        with contextlib.suppress(psutil.Error, OSError):
            opened = [os.path.normcase(file.path) for file in process.open_files()]
            if any(
                open_path == path or open_path.startswith(path + os.sep)
                for open_path in opened
                for path in wanted
            ):
                yield f"{_name(process) or 'another program'} (process {process.pid})"


def _name(process: psutil.Process) -> str:
    """Return the name of a PROCESS; empty where it may not be known: the others still may."""
    import psutil  # noqa: PLC0415 - as above

    with contextlib.suppress(psutil.Error, OSError):
        return str(process.name())
    return ""


def from_restart_manager(library: Any, paths: Sequence[Path]) -> list[str]:
    """Ask Windows' Restart Manager, LIBRARY, who uses PATHS; it names services too.

    https://learn.microsoft.com/en-us/windows/win32/api/restartmanager/

    Raises:
        OSError: it does not answer.
    """
    _declare(library)
    session, key = c_uint32(), ctypes.create_unicode_buffer(33)
    _check(library.RmStartSession(ctypes.byref(session), 0, key))
    try:
        names = [str(path) for path in _files(paths)]
        array = (c_wchar_p * len(names))(*names)
        _check(library.RmRegisterResources(session, len(names), array, 0, None, 0, None))
        return [
            f"{entry.name} (process {entry.process.pid})" for entry in _listed(library, session)
        ]
    finally:
        library.RmEndSession(session)


def _listed(library: Any, session: c_uint32) -> list[ProcessInfo]:
    """Fetch the list, with room for as many as there are: more may come while it is asked."""
    room = 8
    while True:
        needed, count, reasons = c_uint32(), c_uint32(room), c_uint32()
        entries = (ProcessInfo * room)()
        code = library.RmGetList(
            session, ctypes.byref(needed), ctypes.byref(count), entries, ctypes.byref(reasons)
        )
        if code != MORE_DATA or room > 1024:
            _check(code)
            return list(entries[: count.value])
        room = max(needed.value, 2 * room)


def _declare(library: Any) -> None:
    """Give LIBRARY's functions their types; all return an error code."""
    number, numbers = c_uint32, POINTER(c_uint32)
    names = POINTER(c_wchar_p)
    library.RmStartSession.argtypes = [POINTER(number), number, c_wchar_p]
    library.RmRegisterResources.argtypes = [
        *(number, c_uint32, names),
        *(c_uint32, POINTER(UniqueProcess), c_uint32, names),
    ]
    library.RmGetList.argtypes = [
        *(number, numbers, numbers, POINTER(ProcessInfo), POINTER(number)),
    ]
    library.RmEndSession.argtypes = [number]
    for name in ("RmStartSession", "RmRegisterResources", "RmGetList", "RmEndSession"):
        getattr(library, name).restype = c_uint32


def _check(code: int) -> None:
    if code:
        raise OSError(code, "the Restart Manager does not answer")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield PATHS, and of folders the first files below them."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = (member for member in path.rglob("*") if member.is_file())
        yield from (member for member, _ in zip(inside, range(INSIDE), strict=False))


def within(seconds: float, ask: Callable[[], Any]) -> Any:
    """Return what ASK returns; None where it takes longer or fails: no wait may hang on it."""
    answer: list[Any] = []

    def work() -> None:
        with contextlib.suppress(Exception):
            answer.append(ask())

    thread = threading.Thread(target=work, name="holders", daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else None
