"""Lines of JSON that are kept for one state of what they follow from, such as the sources.

Lines are only ever added, so that several programs may write at once; one that a crash has cut is
passed over. The files of the states that were left longest ago are removed.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

STATES = 8
"""Files that stay in a folder."""


class StateLines:
    """The file of one state in a folder of its kind."""

    def __init__(self, folder: Path, state: str) -> None:
        self.path = folder / f"{state[:20]}.jsonl"

    def read(self) -> Iterator[Any]:
        """Yield what each line holds; nothing where the file can't be read."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return
        for line in lines:
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Keep LINES, unless the disk can't be written: they can be made again."""
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        with contextlib.suppress(OSError):
            if not self.path.parent.is_dir():
                self.path.parent.mkdir(parents=True)
            if not self.path.exists():
                self._prune()
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(text)

    def _prune(self) -> None:
        files = sorted(self.path.parent.glob("*.jsonl"), key=lambda file: file.stat().st_mtime)
        for file in files[: -(STATES - 1)]:
            file.unlink(missing_ok=True)
