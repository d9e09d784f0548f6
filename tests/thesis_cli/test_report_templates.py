"""`thesis report weekly`, `list`, `show` and `new`."""

from datetime import UTC, datetime

import pytest
from stand_ins.markdown_samples import unpadded

from thesis_cli.completion import complete_template

TODAY = datetime.now(UTC).date()


@pytest.fixture
def filled(synced_copy):
    return synced_copy()


def test_list_tells_where_blocks_live(thesis, valid, filled):
    data = valid(thesis("report", "list", "--json", workspace=filled))
    blocks = {one["block"]: one for row in data for one in row["blocks"]}
    assert blocks["results"]["note"] == "05-Results/Performance-Analysis.md"
    assert blocks["results"]["standing"]
    note = (filled.vault / "05-Results/Performance-Analysis.md").read_text(encoding="utf-8")
    line = note.splitlines()[blocks["results"]["line"] - 1]
    assert line.startswith("<!-- thesis:begin id=results ")
    assert all(row["about"].endswith(".") for row in data)
    shown = thesis("report", "list", workspace=filled)
    assert "05-Results/Runs/v2@1.md:" in shown.out
    assert "where you put its marker" in shown.out
    assert "not there yet" not in shown.out


def test_list_shows_the_markers_of_blocks_that_are_not_there(thesis, filled):
    note = filled.vault / "03-Methodology" / "Training-Protocol.md"
    text = note.read_text(encoding="utf-8")
    note.write_text(text.split("<!--")[0], encoding="utf-8")
    state = filled.state / "vault.json"
    for path in filled.state.glob("vault*.json"):
        path.unlink()
    assert not state.exists()
    shown = thesis("report", "list", workspace=filled).out
    assert "Training-Protocol.md (not there yet)" in shown
    assert (
        "<!-- thesis:begin id=protocol template=protocol --> <!-- thesis:end id=protocol -->"
        in shown
    )


def test_list_works_before_there_is_a_vault(thesis, valid, workspace):
    workspace.vault.rmdir()
    data = valid(thesis("report", "list", "--json", workspace=workspace))
    assert not any(one["standing"] for row in data for one in row["blocks"])
    assert not workspace.vault.exists()


def test_show_writes_nothing(thesis, valid, filled, contents):
    (filled.vault / "05-Results" / "Milestones.md").unlink()
    before = contents(filled.vault)
    answer = thesis("report", "show", "milestones", "--json", workspace=filled)
    data = valid(answer)
    assert data["template"] == data["block"] == "milestones"
    assert "`v1-parameters`" in data["markdown"]
    told = thesis("report", "show", "run.v2@1", workspace=filled)
    assert "[[v1@1]]" in told.out
    assert "{" not in told.out.splitlines()[0]
    assert contents(filled.vault) == before
    deleted = valid(thesis("report", "list", "--json", workspace=filled))
    (row,) = [row for row in deleted if row["template"] == "milestones"]
    assert row["blocks"][0]["deleted"]


def test_a_block_that_was_adopted_is_told_from_a_deleted_one(thesis, filled):
    assert (
        thesis("vault", "adopt", "05-Results/Milestones.md#milestones", workspace=filled).code == 0
    )
    told = thesis("report", "list", workspace=filled).out
    assert "05-Results/Milestones.md (yours since you adopted it)" in told
    assert "you deleted it" not in told


def test_show_asks_which_of_several(thesis, filled):
    answer = thesis("report", "show", "run", workspace=filled)
    assert answer.code == 2
    assert "choose one of them: run.v1@1, run.v2@1" in answer.err
    assert "next: thesis report show run.v1@1" in answer.err
    chosen = thesis("report", "show", "run", "--runs", "v2@1", workspace=filled)
    assert chosen.code == 0
    one = thesis("report", "show", "performance", "--runs", "v1", workspace=filled)
    assert "[[v1@1]]" in one.out
    assert "[[v2@1]]" not in one.out


@pytest.mark.parametrize(("name", "near"), [("performanc", "performance"), ("run.v9@1", "run.v")])
def test_show_names_the_nearest(thesis, filled, name, near):
    answer = thesis("report", "show", name, workspace=filled)
    assert answer.code == 3
    assert near in answer.err
    assert "next: thesis report list" in answer.err


def test_what_has_nothing_to_say_yet(thesis, workspace):
    answer = thesis("report", "show", "performance", workspace=workspace)
    assert answer.code == 0
    assert "Nothing to show yet: no run is sealed. `thesis run v1` makes the first." in answer.out


def test_new_starts_a_template_that_renders(thesis, valid, filled):
    data = valid(thesis("report", "new", "mine", "--json", workspace=filled))
    assert data["begin"] == "<!-- thesis:begin id=mine template=mine -->"
    assert (filled.root / "templates" / "mine.jinja").is_file()
    assert "| [[v2@1]] |" in thesis("report", "show", "mine", workspace=filled).out
    note = filled.vault / "Own.md"
    note.write_text(f"{data['begin']}\n{data['end']}\n", encoding="utf-8")
    assert thesis("report", "sync", workspace=filled).code == 0
    assert "| [[v2@1]] |" in unpadded(note.read_text(encoding="utf-8"))
    (row,) = [
        row
        for row in valid(thesis("report", "list", "--json", workspace=filled))
        if row["origin"] == "own"
    ]
    assert (row["template"], row["about"]) == ("mine", "templates/mine.jinja")
    assert row["blocks"][0]["note"] == "Own.md"


@pytest.mark.parametrize("name", ["../x", "CON", "a|b", "milestones", "x" * 300])
def test_new_refuses_names_that_can_not_be(thesis, workspace, name):
    answer = thesis("report", "new", name, workspace=workspace)
    assert answer.code == 2
    assert "next: " in answer.err
    assert not (workspace.root / "templates").exists()


def test_a_fault_in_a_template_is_told_with_its_line(thesis, workspace):
    thesis("report", "new", "mine", workspace=workspace)
    assert thesis("report", "new", "mine", workspace=workspace).code == 2
    (workspace.root / "templates" / "mine.jinja").write_text("\n{{ oops }}", encoding="utf-8")
    answer = thesis("report", "show", "mine", workspace=workspace)
    assert answer.code == 7
    assert "templates/mine.jinja:2: 'oops' is undefined" in answer.err


def test_weekly_writes_one_note(thesis, valid, filled, contents):
    data = valid(thesis("report", "weekly", "--json", workspace=filled))
    assert data["written"]
    assert data["until"] == TODAY.isoformat()
    assert (filled.vault / data["note"]).is_file()
    before = contents(filled.vault)
    again = valid(thesis("report", "weekly", "--json", workspace=filled))
    assert again == {**data, "written": False}
    assert contents(filled.vault) == before
    assert thesis("report", "sync", "--check", workspace=filled).code == 0


def test_weekly_takes_the_days_that_are_asked_for(thesis, valid, filled):
    days = ("--since", "2026-01-01", "--until", "2026-01-07")
    data = valid(thesis("report", "weekly", *days, "--json", workspace=filled))
    assert data["note"] == "Weekly/2026-W02.md"
    assert "[[v2@1]]" in (filled.vault / data["note"]).read_text(encoding="utf-8")
    assert "tells of" in thesis("report", "weekly", *days, workspace=filled).out
    turned = ("--since", "2026-01-08", "--until", "2026-01-07")
    assert thesis("report", "weekly", *turned, workspace=filled).code == 2
    assert thesis("report", "weekly", "--since", "yesterday", workspace=filled).code == 2


def test_weekly_without_a_vault(thesis, workspace):
    workspace.vault.rmdir()
    assert thesis("report", "weekly", workspace=workspace).code == 3


def test_names_are_completed(filled, monkeypatch):
    monkeypatch.chdir(filled.root)
    assert complete_template(None, None, "per") == ["performance"]
    monkeypatch.chdir(filled.root.parent)
    assert complete_template(None, None, "per") == []
