"""python dev.py mutate: which of the kept faults the default tests notice."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mutations.catalogue import CatalogueError, choose, read_catalogue
from mutations.checking import KILLED, OUTDATED, SURVIVED, UNSOUND, MutationCheck
from mutations.source_copy import ForeignImportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mutations.catalogue import Mutation
    from mutations.checking import MutationResult

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
ENOUGH = 0.95
"""Share of the faults that must be noticed."""
TIMEOUT = 300.0


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python dev.py mutate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="these faults; default: all")
    parser.add_argument("--room", default="", help="the faults of one file of the list")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="default: one a core")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds for one fault")
    parser.add_argument("--list", action="store_true", help="show the faults; run nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--catalogue", type=Path, default=FOLDER, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks; return the exit code."""
    arguments = parse(words)
    try:
        mutations = choose(read_catalogue(arguments.catalogue), arguments.names, arguments.room)
        if arguments.list:
            print("\n".join(table([(m.name, m.room, m.file, m.why) for m in mutations])))
            return 0
        return check(arguments, mutations)
    except (CatalogueError, ForeignImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def check(arguments: argparse.Namespace, mutations: Sequence[Mutation]) -> int:
    """Try MUTATIONS and show the table."""
    began, done = time.monotonic(), 0

    def on_result(result: MutationResult) -> None:
        nonlocal done
        done += 1
        line = f"[{done}/{len(mutations)}] {result.status:9} {result.mutation.name}"
        print(f"{line} ({result.seconds:.0f} s)", file=sys.stderr, flush=True)

    print("Running the tests without any fault first.", file=sys.stderr, flush=True)
    checking = MutationCheck(arguments.root, max(arguments.jobs, 1), arguments.timeout)
    results = checking.results(mutations, on_result)
    print("\n".join(table([row(result) for result in results])))
    print("\n".join(summary(results, time.monotonic() - began)))
    if arguments.json:
        content = json.dumps([plain(result) for result in results], indent=2, ensure_ascii=False)
        arguments.json.write_text(content + "\n", encoding="utf-8")
    return 0 if passed(results) else 1


def row(result: MutationResult) -> tuple[str, str, str, str]:
    """Return name, file, what became of the fault, and seconds."""
    mutation = result.mutation
    ending = f"by {result.detail}" if result.status == KILLED else result.detail or mutation.why
    status = result.status if result.status == KILLED else result.status.upper()
    return mutation.name, mutation.file, f"{status} {ending}".strip(), f"{result.seconds:.0f} s"


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lay ROWS out in columns, the last one as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in rows
    ]


def summary(results: Sequence[MutationResult], seconds: float) -> list[str]:
    """Say how many of the faults were noticed, and which were not."""
    counts = {status: sum(result.status == status for result in results) for status in STATUSES}
    share = counts[KILLED] / len(results) if results else 0.0
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    lines = ["", f"{len(results)} faults: {told}; {share:.1%} killed, {seconds:.0f} s"]
    if share < ENOUGH:
        lines.append(f"less than {ENOUGH:.0%} killed")
    return lines


STATUSES = (KILLED, SURVIVED, OUTDATED, UNSOUND)


def passed(results: Sequence[MutationResult]) -> bool:
    """Whether enough faults were noticed and every one could be tried."""
    killed = sum(result.status == KILLED for result in results)
    tried = all(result.status in (KILLED, SURVIVED) for result in results)
    return tried and killed >= ENOUGH * len(results)


def plain(result: MutationResult) -> dict[str, object]:
    """Return RESULT as JSON holds it."""
    mutation = result.mutation
    return {
        "name": mutation.name,
        "room": mutation.room,
        "file": mutation.file,
        "status": result.status,
        "detail": result.detail,
        "why": mutation.why,
        "seconds": round(result.seconds, 1),
    }


if __name__ == "__main__":
    # Both end in `interrupted`, for the copies go in any case; a shell lets what runs in its
    # background ignore the first.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
