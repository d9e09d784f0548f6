"""What probes gave, kept for each state of the sources: values by settings, verdicts by record."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any

from featherface.source.digest import program_digest
from featherface.source.state_lines import StateLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from featherface.probes.numbers import Values

    KeptVerdict = tuple[str, tuple[str, ...], str]


@functools.cache
def source_now() -> str:
    """Return the digest of the sources that this program was started from."""
    return program_digest()


@functools.lru_cache(maxsize=8)
def cache_of(folder: Path, source: str) -> ProbeCache:
    """Return the cache in FOLDER for the sources of digest SOURCE, read once."""
    return ProbeCache(StateLines(folder, source))


class ProbeCache:
    """What is kept of one state of the sources, and what this program has added to it."""

    def __init__(self, lines: StateLines) -> None:
        self._lines = lines
        self._values: dict[tuple[str, str], Values] = {}
        self._verdicts: dict[tuple[str, str], KeptVerdict] = {}
        self._trusted = True
        for line in lines.read():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self._load(line)

    def values(self, probe: str, settings: str) -> Values | None:
        """Return what PROBE gave under the settings of that digest; None where it was not asked."""
        return self._values.get((probe, settings))

    def keep_values(self, computed: Mapping[tuple[str, str], Values]) -> None:
        """Keep what probes gave, by name and digest of the settings.

        On the disk only if no source file was changed while this program has been running.
        """
        if not computed:
            return
        self._values |= computed
        self._trusted = inspect.unwrap(program_digest)() == source_now()  # read anew
        self._add(
            {"probe": probe, "settings": settings, "values": values}
            for (probe, settings), values in computed.items()
        )

    def verdict(self, seal: str, family: str) -> KeptVerdict | None:
        """Return state, differing probes and reason of a sealed record; None where none is kept."""
        return self._verdicts.get((seal, family))

    def keep_verdict(
        self, seal: str, family: str, state: str, differing: tuple[str, ...], reason: str
    ) -> None:
        """Keep the verdict on a record; one without a seal may still change."""
        if not seal:
            return
        self._verdicts[seal, family] = (state, differing, reason)
        line = {"seal": seal, "family": family, "state": state}
        self._add([{**line, "probes": differing, "why": reason}])

    def _load(self, line: Mapping[str, Any]) -> None:
        if "probe" in line:
            key = str(line["probe"]), str(line["settings"])
            self._values[key] = [float(value) for value in line["values"]]
        else:
            verdict = str(line["state"]), tuple(map(str, line["probes"])), str(line["why"])
            self._verdicts[str(line["seal"]), str(line["family"])] = verdict

    def _add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        if self._trusted:
            self._lines.add(lines)
