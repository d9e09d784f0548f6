"""Asking the six verbs about a workspace, in this process."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from evidence_parts.cases import COMPARE, EXPORT, MILESTONE, NUMBERS, SYNC, VERBS, VERIFY
from thesis_cli.main import cli

if TYPE_CHECKING:
    from pathlib import Path

CLAIMS = ("small", "ultra-small")
VOLATILE = re.compile(r"\d[\d.,]*(?: ?(?:ms|s|%|images/s))?")
"""What may differ between two calls that say the same."""


@dataclass(frozen=True)
class Answer:
    """What a verb said."""

    code: int
    data: Any
    said: frozenset[str]
    """Warnings and lines of stderr, without the workspace's folder."""
    crashed: str = ""


@dataclass(frozen=True)
class Verdict:
    """How an answer stands beside that of the finished workspace."""

    code: int
    word: str
    """`refused`, `told`, `silent` or `crashed`."""

    @property
    def noticed(self) -> bool:
        return self.word in ("refused", "told")

    def __str__(self) -> str:
        return f"{self.word} {self.code}" if self.code else self.word


def call(root: Path, *words: str) -> Answer:
    """Call `thesis WORDS --json` for the workspace at ROOT."""
    result = CliRunner().invoke(cli, [*words, "--json", "--workspace", str(root)])
    crashed = ""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        crashed = f"{type(result.exception).__name__}: {result.exception}"
    try:
        content = json.loads(result.stdout.replace(str(root), "."))
    except ValueError:
        content = {}
    lines = [*result.stderr.splitlines(), *map(str, content.get("warnings", []))]
    said = frozenset(VOLATILE.sub("#", line.replace(str(root), ".")) for line in lines if line)
    return Answer(result.exit_code, content.get("data"), said, crashed)


def has_option(option: str, *words: str) -> bool:
    """Whether the verb WORDS knows OPTION."""
    return option in CliRunner().invoke(cli, [*words, "--help"]).stdout


def ask(root: Path, compared: tuple[str, str] = ("v1", "v2")) -> dict[str, Answer]:
    """Ask every verb about the workspace at ROOT; of its files only `export/` is written."""
    strict = ["--strict"] if has_option("--strict", "check", "numbers") else []
    words = {
        VERIFY: ["runs", "verify"],
        COMPARE: ["compare", *compared],
        MILESTONE: ["milestone", "check", *CLAIMS],
        NUMBERS: ["check", "numbers", *strict],
        SYNC: ["report", "sync", "--dry-run"],
        EXPORT: ["vault", "export", "--to", "html"],
    }
    return {verb: call(root, *words[verb]) for verb in VERBS}


def judge(verb: str, before: Answer, after: Answer, claim: str) -> Verdict:
    """Say how VERB's answer AFTER a change stands beside the one BEFORE it."""
    if after.crashed:
        return Verdict(after.code, f"crashed: {after.crashed}"[:60])
    if after.code and after.code != before.code:
        return Verdict(after.code, "refused")
    if verb == MILESTONE and not holds(after, claim):
        return Verdict(after.code, "told")
    new = bool(after.said - before.said) or (verb == EXPORT and tally(after) != tally(before))
    return Verdict(after.code, "told" if new else "silent")


def holds(answer: Answer, claim: str) -> bool:
    """Whether a milestone check says that CLAIM passes."""
    rows = answer.data if isinstance(answer.data, list) else []
    return any(row["milestone"] == claim and row["state"] == "pass" for row in rows)


def tally(answer: Answer) -> dict[str, Any]:
    """Return what an export says of its numbers and blocks, not of notes, pictures and paths."""
    data = answer.data if isinstance(answer.data, dict) else {}
    layout = ("notes", "figures", "tables", "path", "document", "works", "left_out", "seconds")
    return {key: value for key, value in data.items() if key not in layout}
