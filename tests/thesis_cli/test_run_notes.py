"""What a student says of a run, from the command line and from the vault."""

import pytest

from experiments.records.store import Store
from thesis_cli.commands.runs import note

NOTE = "05-Results/Runs/v1@1.md"


@pytest.fixture
def told(workspace, make_run, thesis):
    """A workspace with one run, whose note is in the vault."""
    make_run(workspace, "v1", metrics={"params.total": 5}, events=False)
    assert thesis("report", "sync", workspace=workspace).code == 0
    return workspace


def edit(workspace, old, new):
    path = workspace.vault / NOTE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_labels_are_given_told_and_taken(thesis, valid, told):
    assert valid(thesis("runs", "label", "v1", "--json", workspace=told))["labels"] == []
    both = valid(thesis("runs", "label", "v1", "final", "a.b", "final", "--json", workspace=told))
    assert both == {"run": "v1@1", "labels": ["final", "a.b"]}
    assert valid(thesis("runs", "show", "final", "--json", workspace=told))["run"] == "v1@1"
    left = thesis("runs", "label", "final", "final", "--remove", "--json", workspace=told)
    assert valid(left)["labels"] == ["a.b"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("v1", "two words"), 2, "write 'two-words'"),
        (("v1", "v1"), 2, "taken by an experiment"),
        (("v1", "--remove"), 2, "needs the labels"),
        (("v1", "fina", "--remove"), 3, "did you mean 'final'"),
        (("v9",), 3, "v9"),
    ],
)
def test_labels_that_can_not_be(thesis, told, arguments, code, words):
    thesis("runs", "label", "v1", "final", workspace=told)
    answer = thesis("runs", "label", *arguments, workspace=told)
    assert answer.code == code
    assert words in answer.err
    assert Store(told).find("v1").labels == ("final",)


def test_everything_may_be_said_of_a_run(thesis, valid, told):
    said = thesis(
        *("runs", "note", "v1", "A remark.", "--hypothesis", "It works.", "--status", "réfutée"),
        *("--analysis", "Why.", "--next-steps", "Again.", "--tag", "#a", "--tag", "b", "--json"),
        workspace=told,
    )
    expected = {
        "run": "v1@1",
        "hypothesis": "It works.",
        "status": "refuted",
        "notes": "A remark.",
        "tags": ["a", "b"],
        "analysis": "Why.",
        "next_steps": "Again.",
    }
    assert valid(said) == expected
    assert valid(thesis("runs", "note", "v1", "--json", workspace=told)) == expected
    shown = valid(thesis("runs", "show", "v1", "--json", workspace=told))
    assert {"run": "v1@1", **shown["answers"]} == expected
    changed = thesis(
        *("runs", "note", "v1", "", "--untag", "#b", "--tag", "c", "--analysis", "", "--json"),
        workspace=told,
    )
    gone = expected | {"notes": "", "tags": ["a", "c"], "analysis": ""}
    assert valid(changed) == gone
    view = thesis("runs", "note", "v1", workspace=told).out
    assert "tags: a, c" in view
    assert "notes" not in view


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--status", "done"), "no status 'done'"),
        (("--tag", "two words"), "write 'two-words'"),
    ],
)
def test_what_can_not_be_said(thesis, told, arguments, words):
    answer = thesis("runs", "note", "v1", *arguments, workspace=told)
    assert answer.code == 2
    assert words in answer.err
    assert not list(told.runs.rglob("*.notes.json"))


def test_every_answer_has_an_option(told):
    names = {name for option in note.note.params for name in option.opts}
    assert {"--hypothesis", "--status", "--analysis", "--next-steps", "--tag"} <= names


def test_a_pull_takes_answers_over_and_says_so(thesis, valid, told):
    edit(told, "status: open", "status: Confirmée")
    assert "thesis vault pull" in thesis("report", "sync", workspace=told).err
    assert thesis("vault", "pull", "--check", workspace=told).code == 1
    assert thesis("vault", "pull", "--dry-run", workspace=told).code == 0
    answer = thesis("vault", "pull", "v1", "--json", workspace=told)
    assert answer.code == 0
    (taken,) = valid(answer)["taken"]
    assert taken == {
        "run": "v1@1",
        "answer": "status",
        "path": NOTE,
        "line": taken["line"],
        "note": "confirmed",
        "index": "open",
    }
    lines = (told.vault / NOTE).read_text(encoding="utf-8").splitlines()
    assert lines[taken["line"] - 1] == "status: Confirmée"
    assert thesis("vault", "pull", "--check", workspace=told).code == 0


def test_what_a_run_says_waits_for_the_sync(thesis, valid, told):
    thesis("runs", "note", "v1", "Newer.", workspace=told)
    answer = thesis("vault", "pull", "--check", workspace=told)
    assert answer.code == 1
    assert "for the next sync: notes of v1@1" in answer.out
    (one,) = valid(thesis("vault", "pull", "--json", workspace=told))["waiting"]
    assert (one["answer"], one["note"], one["index"]) == ("notes", "", "Newer.")
    thesis("report", "sync", workspace=told)
    assert thesis("vault", "pull", "--check", workspace=told).code == 0


def test_a_contradiction_is_a_conflict_until_someone_decides(thesis, valid, told):
    edit(told, "status: open", "status: refuted")
    thesis("runs", "note", "v1", "--status", "partial", workspace=told)
    answer = thesis("vault", "pull", "--json", workspace=told)
    assert answer.code == 7
    (one,) = valid(answer)["conflicts"]
    assert (one["note"], one["index"]) == ("refuted", "partial")
    assert "--take note|index v1@1" in answer.err
    taken = thesis("vault", "pull", "--take", "index", "--json", workspace=told)
    assert taken.code == 0
    assert len(valid(taken)["written"]) == 1
    assert "status: partial" in (told.vault / NOTE).read_text(encoding="utf-8")


def test_what_can_not_be_taken_is_told_where_it_stands(thesis, valid, told):
    edit(told, "status: open", "status: confirmd")
    answer = thesis("vault", "pull", "--json", workspace=told)
    assert answer.code == 7
    (wrong,) = valid(answer)["invalid"]
    assert wrong["value"] == "confirmd"
    assert "inconclusive" in wrong["choices"]
    assert f"{NOTE}:{wrong['line']}: status: no status 'confirmd'; did you mean 'confirmed'?" in (
        answer.err
    )


def test_a_vault_or_a_run_that_is_not_there(thesis, told):
    assert thesis("vault", "pull", "v7", workspace=told).code == 3
    assert thesis("vault", "pull", "--from", "nowhere", workspace=told).code == 3
    assert thesis("vault", "pull", "--take", "both", workspace=told).code == 2
