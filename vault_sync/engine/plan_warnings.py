"""The warnings of a plan, and its refusal where most of a vault seems to be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.plans import WantedBlock
    from vault_sync.engine.state import State


def check_deletions(snapshot: Snapshot, state: State) -> None:
    """Refuse to plan where so many notes are gone that the vault itself may be missing.

    Raises:
        RefusedError: many notes are gone at once, as when a vault is not mounted.
    """
    known = {id_: path for id_, path in state.notes.items() if id_ not in state.deleted}
    there = {*snapshot.notes, *snapshot.unreadable, *snapshot.links}
    gone = [path for id_, path in known.items() if id_ not in snapshot.by_id and path not in there]
    if len(gone) <= max(2, len(known) // 4):
        return
    names = ", ".join(sorted(gone)[:3])
    raise RefusedError(
        f"{len(gone)} of {len(known)} notes are gone at once ({names}, ...); nothing written",
        "check that the vault is mounted and fully synchronised; "
        "or: thesis report sync --recreate, or --accept-deletions to leave them deleted",
    )


def missing_block_warnings(lacking: Mapping[str, WantedBlock]) -> list[str]:
    """Ask where to put the blocks LACKING (address -> block), for which notes have no place."""
    if not lacking:
        return []
    join = "or add it at the end with: thesis report sync --join"
    if len(lacking) > 1:
        text = f"{len(lacking)} blocks have no place in their notes yet ({', '.join(lacking)}): "
        text += "put their markers where they should stand, as `thesis report list` shows them, "
        return [text + join]
    ((address, block),) = lacking.items()
    begin = f"<!-- thesis:begin id={block.id} template={block.template} -->"
    end = f"<!-- thesis:end id={block.id} -->"
    path = address.partition("#")[0]
    text = f"{path} has no block {block.id!r}: put the lines {begin} and {end} where it should "
    return [f"{text}stand, {join}"]


def copy_warnings(snapshot: Snapshot) -> list[str]:
    """Name the conflict copies of synchronisers."""
    return [
        f"{path} is a synchroniser's conflict copy; it was left alone" for path in snapshot.copies
    ]
