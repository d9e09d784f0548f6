"""`thesis data verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from experiments.wording.shell_quote import command
from featherface.errors import UsageError
from thesis_cli.commands.data import locate
from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from featherface.data.widerface import Split
    from featherface.data_quality.near_duplicates import DuplicatePair
    from featherface.data_quality.verification import Verified
    from thesis_cli.session import Session

WORDS = {True: "ok", False: "FAULT", None: "note"}
BOTH = ("--split", "train", "--split", "val")
SHOWN = 20
"""Pairs that a person is shown; --json has all of them."""


@click.command(cls=Command)
@click.argument("root", default="widerface")
@click.option(
    "--split", "splits", multiple=True, help="Only this split; repeat. Default: train, val."
)
@click.option("--deep", is_flag=True, help="Decode every picture: minutes for WIDER FACE.")
@click.option(
    "--leakage", is_flag=True, help="Look for pictures that are in both splits: minutes as well."
)
@json_option
@click.pass_context
@pass_session
def verify(
    session: Session,
    context: click.Context,
    root: str,
    splits: tuple[str, ...],
    deep: bool,
    leakage: bool,
    as_json: bool,
) -> None:
    """Check that a data set is whole and its splits apart.

    ROOT is a folder, or a name of [data] in thesis.toml. Pictures that look alike in two splits
    are found by a hash of what they show, whatever their name, size or compression. Exit code 1
    where a check fails.
    """
    del as_json
    from featherface.data_quality.verification import verify_split
    from thesis_cli.interrupts import stoppable
    from thesis_cli.progress import progress

    folder = locate(session, root)
    there = opened(folder, splits)
    if leakage and len(there) < 2:
        raise UsageError(
            f"leakage is between two splits; {folder} has {len(there)}",
            command(["thesis", "data", "verify", str(root), *BOTH, "--leakage"]),
        )
    with progress(session) as reporter, stoppable() as should_stop:
        results = [
            verify_split(split, deep=deep, on_progress=reporter, should_stop=should_stop)
            for split in there
        ]
        pairs = None
        if leakage:
            from featherface.data_quality.near_duplicates import find_pairs

            pairs = find_pairs(there[0], there[1], reporter, should_stop)
    answer = tell(folder, results, pairs, [split.name for split in there[:2]])
    emit(session, "data-verify", answer, view)
    if not answer["ok"]:
        context.exit(CLAIM_FALSE)


def opened(folder: Path, splits: Sequence[str]) -> list[Split]:
    """Open the SPLITS that are named, or train and val where they are there."""
    from featherface.data.formats.conversion import open_any
    from featherface.data.widerface import AbsentSplitError

    if splits:
        return [open_any(folder, name) for name in splits]
    found_splits, faults = [], []
    for name in ("train", "val"):
        try:
            found_splits.append(open_any(folder, name))
        except AbsentSplitError as error:
            faults.append(error)
    if not found_splits:
        raise faults[-1]
    return found_splits


def tell(
    folder: Path,
    results: Sequence[Verified],
    pairs: Sequence[DuplicatePair] | None,
    names: Sequence[str],
) -> dict[str, Any]:
    """Reduce what was found to plain values."""
    apart = pairs is None or not pairs
    return {
        "root": folder,
        "ok": all(result.ok for result in results) and apart,
        "splits": [
            {
                "split": result.split,
                "kind": result.kind,
                "ok": result.ok,
                "fingerprint": result.fingerprint,
                "checks": [
                    {"check": each.check, "ok": each.ok, "text": each.text}
                    for each in result.findings
                ],
            }
            for result in results
        ],
        "leakage": None
        if pairs is None
        else {
            "splits": list(names),
            "pairs": [
                {"first": pair.first, "second": pair.second, "distance": pair.distance}
                for pair in pairs
            ],
        },
    }


def view(answer: dict[str, Any]) -> list[Block]:
    """Tabulate the checks, then the pictures that look alike."""
    from featherface.data.fingerprint import split_digest

    rows = [
        [split["split"], each["check"], WORDS[each["ok"]], each["text"]]
        for split in answer["splits"]
        for each in split["checks"]
    ]
    rows += [
        [split["split"], "fingerprint", "", split_digest(split["fingerprint"])]
        for split in answer["splits"]
    ]
    blocks: list[Block] = [
        Grid(["split", "check", "", "~finding"], rows, facts={"data": str(answer["root"])})
    ]
    leakage = answer["leakage"]
    if leakage is not None:
        first, second = leakage["splits"]
        pairs = leakage["pairs"]
        blocks += ["", f"pictures of {first} that look like one of {second}: {len(pairs):,}"]
        lines = [[each["first"], each["second"], str(each["distance"])] for each in pairs[:SHOWN]]
        blocks += [Grid([first, second, ">bits apart"], lines)] if lines else []
    return blocks
