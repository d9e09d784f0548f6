"""Seals that git has kept: the first one committed of each record, also of those deleted since."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from experiments.workspace.repository import ask, under_git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PLACE = re.compile(r"runs/([^/]+)/(\d{3,})/SEAL\.json")
_CHANGE = re.compile(r":\d+ \d+ [0-9a-f]+ ([0-9a-f]{40,64}) [AMRCT]\d*\t(?:.*\t)?(.+)")
_HEAD = re.compile(r"time (\S+)")


class CommittedSeal(NamedTuple):
    """A seal as it was committed first."""

    run: str
    seal: str
    """Its digest; empty where it is known of another branch only, or can't be read."""
    time: str
    """When it was committed, as git tells it: an author may set that clock."""


def committed_seals(root: Path) -> list[CommittedSeal]:
    """Return what git knows of the records of the workspace at ROOT; nothing without git.

    The history behind what is checked out tells seals; other branches only which versions exist.
    """
    if not under_git(root):
        return []
    blobs: dict[str, tuple[str, str]] = {}
    for run, blob, time in _changes(root, "HEAD"):
        blobs.setdefault(run, (blob, time))
    seals = _digests(root, [blob for blob, _ in blobs.values()])
    known = [CommittedSeal(run, seals.get(blob, ""), time) for run, (blob, time) in blobs.items()]
    elsewhere = {run: time for run, _, time in _changes(root, "--all") if run not in blobs}
    return [*known, *(CommittedSeal(run, "", time) for run, time in elsewhere.items())]


def _changes(root: Path, revisions: str) -> Iterator[tuple[str, str, str]]:
    """Yield run, blob of its seal, and time of the commit, the oldest first."""
    shape = ("--reverse", "--no-renames", "--raw", "--no-abbrev", "--relative")
    answer = ask(root, "log", revisions, *shape, "--format=time %cI", "--", "runs")
    time = ""
    for line in (answer or "").splitlines():
        if head := _HEAD.fullmatch(line):
            time = head[1]
        elif (change := _CHANGE.fullmatch(line)) and (place := _PLACE.fullmatch(change[2])):
            yield f"{place[1]}@{int(place[2])}", change[1], time


def _digests(root: Path, blobs: Sequence[str]) -> dict[str, str]:
    """Return blob -> the digest in the seal that it holds; those that can't be read are left."""
    if not blobs:
        return {}
    answer = ask(root, "cat-file", "--batch=%(objectname) %(objectsize)", lines=blobs) or ""
    content, digests, place = answer.encode(), {}, 0
    while place < len(content):
        head, _, _ = content[place:].partition(b"\n")
        name, _, size = head.decode().partition(" ")
        place += len(head) + 1
        if not size.isdecimal():  # an object that is missing
            continue
        try:
            digests[name] = str(json.loads(content[place : place + int(size)])["seal"])
        except (ValueError, KeyError, TypeError):
            digests[name] = ""
        place += int(size) + 1
    return digests
