"""Whether two bodies mean the same, and one of them in the other's spelling."""

from __future__ import annotations

import difflib
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from vault_sync.engine.meaning.canonical import UnreadableError, canonical, leaves

if TYPE_CHECKING:
    from vault_sync.engine.meaning.canonical import Leaf

LONGEST = 500_000
"""Bytes of a body that is parsed; in a longer one only padding is nothing."""


def same(first: bytes, second: bytes) -> bool:
    """Whether two bodies mean the same: they differ at most in how their Markdown is laid out."""
    if first == second or _unpadded(first) == _unpadded(second):
        return True
    if max(len(first), len(second)) > LONGEST:
        return False
    try:
        return canonical(first) == canonical(second)
    except UnreadableError:
        return False


def respell(body: bytes, like: bytes) -> bytes:
    """Return BODY with the parts that mean the same in LIKE spelled as they are there.

    Lines of the two can then be compared: what differs, says something else.
    """
    if body == like or max(len(body), len(like)) > LONGEST:
        return body
    try:
        respelled = _respelled(body, like)
        return respelled if canonical(respelled) == canonical(body) else body
    except UnreadableError:
        return body


def _respelled(body: bytes, like: bytes) -> bytes:
    ours, theirs = leaves(body), leaves(like)
    own, other = _pieces(body, ours), _pieces(like, theirs)
    matcher = difflib.SequenceMatcher(
        None, [leaf.saying for leaf in ours], [leaf.saying for leaf in theirs], autojunk=False
    )
    twins: dict[int, int] = {len(ours): len(theirs)}
    for tag, start, stop, low, _ in matcher.get_opcodes():
        if tag == "equal":
            twins.update((place, place - start + low) for place in range(start, stop))
    lines = [*own[0]]
    for place in range(len(ours)):
        twin = twins.get(place)
        if twin is None:
            lines += own[place + 1]
        elif twins.get(place + 1) == twin + 1:
            lines += other[twin + 1]
        else:  # what follows there does not follow here, nor do the blank lines before it
            lines += _without_gap(other[twin + 1])
            lines += own[place + 1][len(_without_gap(own[place + 1])) :]
    return b"\n".join(lines).rstrip(b" \t\n")


def _pieces(body: bytes, parts: list[Leaf]) -> list[list[bytes]]:
    """Cut BODY before each part: what comes before the first, then each with what follows it."""
    lines = body.split(b"\n")
    cuts = [0, *(part.start for part in parts), len(lines)]
    return [lines[start:stop] for start, stop in pairwise(cuts)]


def _without_gap(lines: list[bytes]) -> list[bytes]:
    """Return the lines of a piece without the blank ones at its end."""
    stop = len(lines)
    while stop and not lines[stop - 1].strip(b" \t>"):
        stop -= 1
    return lines[:stop]


def _unpadded(body: bytes) -> bytes:
    """Return BODY with the rows of its tables unpadded: where equal, no parser need be asked.

    Code keeps its lines as they are; a body that holds any is left to the parser.
    """
    return body if _CODE.search(body) else _ROW.sub(_unpadded_row, body)


_CODE = re.compile(rb"^(?:[ \t>]*(?:`{3,}|~{3,})|(?: {4}|\t))", re.MULTILINE)
_ROW = re.compile(rb"^\|.*$", re.MULTILINE)


def _unpadded_row(match: re.Match[bytes]) -> bytes:
    row = b" ".join(match[0].split())
    row = re.sub(rb"-{2,}", b"-", row) if re.fullmatch(rb"[|:\- ]+", row) else row
    return re.sub(rb" ?(?<!\\)\| ?", b"|", row)
