"""What the student says of a run, kept beside its sealed folder: runs/v2/003.notes.json."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import DataError
from featherface.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """All of it may change after the run is sealed."""

    labels: tuple[str, ...] = ()
    note: str = ""
    hypothesis: str = ""
    """Empty: the recipe's wording stands."""
    verdict: str = ""
    """What the student concludes; the vault's `status` property."""
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Annotations:
        """Read the annotations of the run in FOLDER; empty ones where there are none.

        Raises:
            DataError: the file is damaged.
        """
        path = beside(folder)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                labels=tuple(content.get("labels", ())),
                note=str(content.get("note", "")),
                hypothesis=str(content.get("hypothesis", "")),
                verdict=str(content.get("verdict", "")),
                tags=tuple(content.get("tags", ())),
            )
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise DataError(f"{path}: can't be read: {error}", "correct or remove it") from error

    def write(self, folder: Path) -> None:
        """Write them beside FOLDER, atomically."""
        text = json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)
        write_atomic(beside(folder), text + "\n")


def beside(folder: Path) -> Path:
    """Return the path of the annotations of the run in FOLDER."""
    return folder.with_name(f"{folder.name}.notes.json")
