"""A workspace that an earlier version made, in the hands of this one: `earlier/make.py` made it."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from experiments.workspace.workspace import Workspace

ARCHIVES = Path(__file__).with_name("earlier")
WORDS = {
    "english": ("My own first words.", "And my last ones, 3.5 of them."),
    "french": ("Mes premiers mots à moi.", "Et mes derniers, au nombre de 3,5."),
}
"""What the student wrote above and below the blocks of every note."""
UNTOLD = "trained@1 keeps no probes (network)"
RUNS = {"student@1", "teacher@1", "trained@1"}
BLOCK = re.compile(rb"<!-- thesis:begin .*?(?=<!-- thesis:end )", re.DOTALL)
PROPERTIES = re.compile(rb"\A---\n.*?\n---\n", re.DOTALL)


@pytest.fixture(params=WORDS)
def language(request):
    return request.param


@pytest.fixture
def earlier(language, tmp_path):
    """Unpack the workspace of LANGUAGE."""
    with tarfile.open(ARCHIVES / f"{language}.tar.xz") as archive:
        archive.extractall(tmp_path / "thesis", filter="data")
    return Workspace.open(tmp_path / "thesis")


def own_bytes(workspace):
    """Return note -> its bytes but those of blocks and properties, which are the tool's."""
    return {
        path.relative_to(workspace.vault).as_posix(): PROPERTIES.sub(
            b"", BLOCK.sub(b"", path.read_bytes())
        )
        for path in workspace.vault.rglob("*.md")
    }


def contents(workspace):
    return {path: path.read_bytes() for path in workspace.vault.rglob("*") if path.is_file()}


def test_its_records_are_intact_and_read(thesis, valid, earlier):
    verified = thesis("runs", "verify", "--json", workspace=earlier)
    assert verified.code == 0
    assert {row["run"] for row in valid(verified)} == RUNS
    listed = valid(thesis("runs", "list", "--json", workspace=earlier))
    assert {run["run"] for run in listed} == RUNS
    for run in sorted(RUNS):
        shown = valid(thesis("runs", "show", run, "--json", workspace=earlier))
        assert shown["run"] == run
        assert shown["metrics"]


def test_two_of_its_runs_are_compared(thesis, valid, earlier):
    found = valid(thesis("compare", "teacher", "first", "--json", workspace=earlier))
    (row,) = (row for row in found["rows"] if row["metric"] == "widerface.mean_ap")
    student = row["values"]["student@1"]
    assert row["values"]["teacher@1"]["value"] > student["value"]
    assert student["delta"]["high"] < 0


def test_numbers_without_probes_say_how_to_measure_them_again(thesis, valid, earlier):
    answer = thesis("milestone", "check", "small", workspace=earlier)
    assert answer.code == 1
    assert UNTOLD in " ".join(answer.out.split())
    assert "thesis run trained --stage benchmark" in answer.out
    (claim,) = valid(thesis("milestone", "check", "small", "--json", workspace=earlier))
    assert (claim["state"], claim["holds"]) == ("stale", True)
    (claim,) = valid(thesis("milestone", "check", "better", "--json", workspace=earlier))
    assert claim["state"] == "not_measurable"


@pytest.mark.usefixtures("quick_plots")
def test_a_sync_keeps_every_word_of_the_student(thesis, valid, earlier, language):
    before = own_bytes(earlier)
    assert sum(WORDS[language][0].encode() in text for text in before.values()) > len(RUNS)
    done = valid(thesis("report", "sync", "--json", workspace=earlier))
    assert (done["conflicts"], done["refused"]) == ([], [])
    after = own_bytes(earlier)
    assert {path: after[path] for path in before} == before
    written = contents(earlier)
    again = valid(thesis("report", "sync", "--json", workspace=earlier))
    assert contents(earlier) == written
    assert again["written"] == []


def test_answers_in_its_notes_are_taken_over(thesis, valid, earlier, language):
    taken = valid(thesis("vault", "pull", "--json", workspace=earlier))
    assert {answer["run"]: answer["note"] for answer in taken["taken"]} == dict.fromkeys(
        RUNS, WORDS[language][1]
    )
    for run in sorted(RUNS):
        said = valid(thesis("runs", "note", run, "--json", workspace=earlier))
        assert said["next_steps"] == WORDS[language][1]
