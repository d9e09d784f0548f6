"""What formatters do to a vault is no edit; what a hand does in between is one all the same."""

import re

import pytest

from experiments.records.store import Store
from vault_sync.commands.block_states import check_blocks
from vault_sync.commands.resolve import Side, decide
from vault_sync.commands.status import inspect
from vault_sync.commands.sync import sync

PERFORMANCE = "05-Results/Performance-Analysis.md"
RUN = "05-Results/Runs/v2@1.md"


def compact(line):
    """Lay out a row of a table without padding, as Obsidian's own editor may."""
    if not line.startswith("|") or "`" in line:
        return line
    return re.sub(r"-{2,}", "---", re.sub(r" *(?<!\\)\| *", "|", line))


FORMATTERS = {
    "stars": lambda line: re.sub(r"\A_(.*)_\Z", r"*\1*", line),
    "compact tables": compact,
    "strong underscores": lambda line: re.sub(r"\*\*(\w[^*]*\w)\*\*(?=\W|\Z)", r"__\1__", line),
    "space at ends": lambda line: f"{line} " if line and not line.startswith("<!--") else line,
    "other bullets": lambda line: re.sub(r"\A- (?=\S)", "* ", line),
}


def lay_out(vault, *formatters):
    """Give every line outside the front matter to FORMATTERS, as they would save the notes."""
    for path in vault.rglob("*.md"):
        front, text = re.fullmatch(
            r"(---\n.*?\n---\n)?(.*)", path.read_bytes().decode(), re.DOTALL
        ).groups()
        lines = text.split("\n")
        for formatter in formatters:
            lines = [FORMATTERS[formatter](line) for line in lines]
        path.write_bytes(((front or "") + "\n".join(lines)).encode())


def edit(workspace, note, old, new):
    path = workspace.vault / note
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_vault_that_was_formatted_is_in_sync(thesis, stamps, language):
    workspace = thesis(language)
    lay_out(workspace.vault, *FORMATTERS)
    before = stamps(workspace.vault)
    report = sync(workspace)
    assert (report.written, report.conflicts, report.refused) == ([], [], [])
    status = inspect(workspace)
    assert (status.pending, status.conflicts) == ([], [])
    assert check_blocks(workspace, workspace.vault) == []
    assert stamps(workspace.vault) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"55.0", b"56.0"), (b"[[v1@1]]", b"[[v2@1]]"), (b"Precision against", b"Recall against")],
)
def test_an_edit_is_seen_whatever_was_formatted(thesis, old, new):
    workspace = thesis()
    lay_out(workspace.vault, *FORMATTERS)
    edit(workspace, PERFORMANCE, old, new)
    (finding,) = check_blocks(workspace, workspace.vault)
    assert finding.address == f"{PERFORMANCE}#results"
    assert PERFORMANCE in sync(workspace).conflicts


def test_only_what_was_edited_is_shown(thesis):
    workspace = thesis()
    lay_out(workspace.vault, *FORMATTERS)
    edit(workspace, PERFORMANCE, b"55.0", b"56.0")
    report = sync(workspace, dry_run=True)
    (dispute,) = report.disputes.values()
    lines = [line for line in dispute.splitlines()[2:] if line[0] in "+-"]
    assert {line[0] for line in lines} == {"+", "-"}
    assert all("55.0" in line or "56.0" in line for line in lines)


def test_what_a_sync_changes_is_shown_and_nothing_else(thesis, make_run):
    workspace = thesis()
    lay_out(workspace.vault, *FORMATTERS)
    make_run(workspace, "v2", variant="v2", seed=2, metrics={"widerface.mean_ap": 0.5})
    shown = sync(workspace, dry_run=True).diffs[PERFORMANCE]
    removed = [
        line for line in shown.splitlines() if line.startswith("-") and "thesis:" not in line
    ]
    assert not any("Precision against recall of v1@1" in line for line in removed)
    assert not any(line.startswith("-|[[v1@1]]|") for line in removed)


def test_what_was_kept_as_edited_is_kept_after_it_was_formatted(thesis):
    workspace = thesis()
    edit(workspace, PERFORMANCE, b"55.0", b"56.0")
    decide(workspace, Side.MINE, [f"{PERFORMANCE}#results"])
    lay_out(workspace.vault, *FORMATTERS)
    assert sync(workspace).conflicts == []
    assert f"{PERFORMANCE}#results" in inspect(workspace).kept
    edit(workspace, PERFORMANCE, b"56.0", b"57.0")
    assert PERFORMANCE in sync(workspace).conflicts


def test_a_property_in_other_quotes_is_the_same(thesis):
    workspace = thesis()
    path = workspace.vault / RUN
    edit(workspace, RUN, b"dataset: synthetic", b"dataset: 'synthetic'")
    before = path.read_bytes()
    report = sync(workspace)
    assert (report.written, report.conflicts, path.read_bytes()) == ([], [], before)
    edit(workspace, RUN, b"'synthetic'", b"'widerface'")
    assert sync(workspace).conflicts == [RUN]


def test_answers_that_were_formatted_wait_for_no_pull(thesis):
    workspace = thesis()
    run = Store(workspace).find("v2@1")
    said = {"analysis": "It *works*.\n\n* one\n* two", "next_steps": "**Prune**, then stop."}
    Store(workspace).annotate(run, **said)
    assert RUN in sync(workspace).written
    edit(workspace, RUN, b"It *works*.\n\n* one\n* two", b"It _works_.\n\n- one\n- two")
    edit(workspace, RUN, b"**Prune**", b"__Prune__")
    report = sync(workspace)
    assert (report.written, report.conflicts) == ([], [])
    assert not any("pull" in warning for warning in report.warnings)
    edit(workspace, RUN, b"- two", b"- three")
    assert any("pull" in warning for warning in sync(workspace).warnings)
