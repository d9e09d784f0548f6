"""Resumable downloads with checksums."""

from __future__ import annotations

import functools
import shutil
import urllib.error
import urllib.request
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from featherface.data.fingerprint import file_sha256
from featherface.errors import DataError, InterruptedRunError, UnavailableError
from featherface.filesystem.atomic import LEFT, remove, replace
from featherface.filesystem.retry import insist
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.data.archives import Archive
    from featherface.progress import OnProgress, ShouldStop

BLOCK = 1 << 20
PART = ".part"
"""Ending of a file that is not whole yet."""
PATIENCE = 30
"""Seconds without a byte after which a server counts as gone."""
PARTIAL = 206
"""HTTP: the rest, as asked. Anything else is the whole file from its beginning."""
LARGEST = 8 << 30
"""Bytes that an archive may unpack to; WIDER FACE's train split takes 1.5 GB."""


def fetch(
    archive: Archive,
    folder: Path,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Path:
    """Return ARCHIVE's file in FOLDER, fetched where it is not there, and checked.

    Raises:
        UnavailableError: there is no way to the server, or no room; the message says what to
            place where.
        DataError: the file is not the one that the authors serve.
        InterruptedRunError: SHOULD_STOP said so; what came is kept.
    """
    path = folder / archive.name
    if not path.is_file():
        _check_room(archive, folder)
        part = path.with_name(path.name + PART)
        try:
            _fetch(archive, part, on_progress, should_stop)
        except (OSError, urllib.error.URLError) as error:
            raise UnavailableError(
                f"can't fetch {archive.url}: {getattr(error, 'reason', error)}",
                by_hand(archive, folder),
            ) from error
        _check(archive, part, folder)
        replace(part, path)
    else:
        _check(archive, path, folder)
    return path


def by_hand(archive: Archive, folder: Path) -> str:
    """Say how to get ARCHIVE without this program."""
    return (
        f"run the command again to go on where it stopped; or fetch {archive.url} elsewhere, put "
        f"it there as {folder / archive.name}, and run the command again: it checks and unpacks it"
    )


def unpack(
    path: Path,
    folder: Path,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> int:
    """Unpack the archive PATH into FOLDER; files that are there whole are left. Return the count.

    Raises:
        DataError: the archive is damaged, or a member would leave FOLDER.
        UnavailableError: FOLDER can't be written.
        InterruptedRunError: SHOULD_STOP said so; a second call goes on.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_members(members, path)
            for done, member in enumerate(members, 1):
                if should_stop():
                    raise InterruptedRunError(
                        f"stopped while unpacking {path.name}", "run the command again to go on"
                    )
                _unpack_one(archive, member, folder)
                on_progress(Progress(f"unpack {path.name}", done, len(members), unit="files"))
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(
            f"{path} is no whole archive: {error}", f"remove {path} and run the command again"
        ) from error
    return len(members)


def _fetch(archive: Archive, part: Path, on_progress: OnProgress, should_stop: ShouldStop) -> None:
    """Bring PART to its full size, from where it stands."""
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.is_file() else 0
    if have >= archive.size:
        return
    request = urllib.request.Request(  # noqa: S310 - the table's own addresses
        archive.url, headers={"Range": f"bytes={have}-", "User-Agent": "thesis"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
        have = have if answer.status == PARTIAL else 0
        with insist(functools.partial(part.open, "ab" if have else "wb"), part) as file:
            while block := answer.read(BLOCK):
                file.write(block)
                have += len(block)
                on_progress(Progress(archive.name, have >> 20, archive.size >> 20, unit="MiB"))
                if have > archive.size:
                    break
                if should_stop():
                    raise InterruptedRunError(
                        f"stopped after {have:,} of {archive.size:,} bytes of {archive.name}",
                        "run the command again to go on",
                    )
    if have < archive.size:
        raise ConnectionError(f"the connection ended after {have:,} of {archive.size:,} bytes")


def _check(archive: Archive, path: Path, folder: Path) -> None:
    """Refuse a file that is not the one expected; an unfinished download of it is removed."""
    size = path.stat().st_size
    if size == archive.size and file_sha256(path) == archive.sha256:
        return
    what = (
        f"{size:,} bytes instead of {archive.size:,}" if size != archive.size else "other content"
    )
    if path.name.endswith(PART):
        remove(path)
    raise DataError(
        f"{path} is not {archive.name} as its authors serve it: {what}",
        f"remove it; {by_hand(archive, folder)}",
    )


def _check_room(archive: Archive, folder: Path) -> None:
    """See that the archive and what it unpacks to find room."""
    there = next(parent for parent in (folder, *folder.resolve().parents) if parent.is_dir())
    free, needed = shutil.disk_usage(there).free, 2 * archive.size
    if free < needed:
        raise UnavailableError(
            f"{archive.name} needs {needed:,} bytes in {folder} (with what it unpacks to); "
            f"{free:,} are free",
            "free some space, or name another folder: thesis data download FOLDER",
        )


def _check_members(members: list[zipfile.ZipInfo], path: Path) -> None:
    if sum(member.file_size for member in members) > LARGEST:
        raise DataError(f"{path} would unpack to more than {LARGEST:,} bytes", f"remove {path}")
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
            raise DataError(
                f"{path}: the member {member.filename!r} leaves the folder", f"remove {path}"
            )


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
    if target.is_file() and target.stat().st_size == member.file_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}{LEFT}")
    with archive.open(member) as source, temporary.open("wb") as file:
        shutil.copyfileobj(source, file, BLOCK)
    replace(temporary, target)  # a crash leaves the size to tell: no need to flush each file
