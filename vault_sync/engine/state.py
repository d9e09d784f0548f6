"""What the tool remembers of a vault, under the workspace's .thesis folder.

    .thesis/vault.json        notes, blocks and whole files it has written, and where
    .thesis/bases/<sha>.md    each block body as last written, found by its marker's sha
    .thesis/conflicts/        new versions that were not written because of an edit

All of it may be lost: markers carry the sha of their body, notes their `thesis_id`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from featherface.filesystem.atomic import write_atomic
from vault_sync.engine.text.markers import digest

if TYPE_CHECKING:
    from pathlib import Path


SCHEMA = 1


Patch = Mapping[str, Mapping[str, Any]]
"""Section -> key -> what is remembered from now on; None where it is forgotten."""

FOREVER = "forever"
"""In `settled`: the student's, whatever the new version says."""


@dataclass(frozen=True)
class State:
    """What was written so far."""

    notes: Mapping[str, str] = field(default_factory=dict)
    """`thesis_id` -> path where the note was last seen."""
    blocks: Mapping[str, str] = field(default_factory=dict)
    """Block id -> path of its note."""
    wholes: Mapping[str, str] = field(default_factory=dict)
    """Path -> SHA-256 of a file owned whole as last written."""
    deleted: tuple[str, ...] = ()
    """`thesis_id` of notes that the student deleted; they stay so."""
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """`thesis_id` -> key -> value as last written, in YAML."""
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`thesis_id` -> what note and record last agreed on, by answer."""
    adopted: Mapping[str, str] = field(default_factory=dict)
    """Block id -> path of the note where it became the student's prose; it never comes back."""
    settled: Mapping[str, str] = field(default_factory=dict)
    """Whole file or property -> the `pair_digest` for which the student chose their own version."""

    def patched(self, patch: Patch) -> State:
        """Return the state with what PATCH remembers and without what it forgets."""
        changed: dict[str, Any] = {}
        for section, values in patch.items():
            merged = {**getattr(self, section), **values}
            changed[section] = {key: value for key, value in merged.items() if value is not None}
        return replace(self, **changed)

    def inverse(self, patch: Patch) -> Patch:
        """Return the patch that takes PATCH back."""
        return {
            section: {key: getattr(self, section).get(key) for key in values}
            for section, values in patch.items()
        }


def pair_digest(disk: bytes, new: bytes) -> str:
    """SHA-256 (hex) of two versions: the student's on DISK and the NEW one, not written."""
    return hashlib.sha256(f"{digest(disk)} {digest(new)}".encode()).hexdigest()


def state_path(folder: Path, vault: Path, main: Path) -> Path:
    """Return the state file of VAULT; only the workspace's own vault keeps it under a move."""
    if vault == main:
        return folder / "vault.json"
    return folder / f"vault-{hashlib.sha256(str(vault).encode()).hexdigest()[:12]}.json"


def read_state(path: Path) -> State:
    """Read the state; a missing or damaged file is an empty state, which is safe."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("schema") != SCHEMA:
            return State()
        return State(**{**content, "deleted": tuple(content["deleted"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return State()


def write_state(path: Path, state: State) -> None:
    """Write the state, unless the file says the same already."""
    text = json.dumps({"schema": SCHEMA, **vars(state)}, ensure_ascii=False, indent=1) + "\n"
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, ValueError):
        pass
    write_atomic(path, text)


class Bases:
    """Block bodies as they were last written, found by the sha their marker carries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bases"

    def find(self, sha: str | None) -> bytes | None:
        """Return the body whose digest is SHA, or None where it is not kept or is damaged."""
        if sha is None or len(sha) != 64 or not sha.isalnum():
            return None
        try:
            body = (self.folder / f"{sha}.md").read_bytes()
        except OSError:
            return None
        return body if digest(body) == sha else None

    def keep(self, body: bytes) -> None:
        """Keep BODY, so that a later edit can be merged."""
        path = self.folder / f"{digest(body)}.md"
        if not path.exists():
            write_atomic(path, body)
