"""`thesis check`: what a student sees of the numbers in the prose."""

from __future__ import annotations

import dataclasses
import os

import pytest

from experiments.metrics import Metric

HARD = "widerface.hard.ap"
NOTE = "05-Results/Discussion.md"


@pytest.fixture
def filled(workspace, make_run):
    make_run(workspace, "v1")
    make_run(workspace, "v2", metrics={HARD: 0.8191, "params.total": 256_006})
    make_run(workspace, "v2", metrics={HARD: 0.8312, "params.total": 256_006})
    return workspace


@pytest.fixture
def write(filled):
    path = filled.vault / NOTE
    path.parent.mkdir(parents=True)

    def put(text):
        path.write_text(text, encoding="utf-8")
        return path

    return put


def bound(reference, text):
    return f"<!--t:{reference}-->{text}<!--/t-->"


FRESH = bound(f"v2@best {HARD} .1%", "83.1 %")
STALE = bound(f"v2@best {HARD} .1%", "81.9 %")
EDITED = bound(f"v2@best {HARD} .1%", "85 %")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("No number.", 0),
        (FRESH, 0),
        (STALE, 1),
        (EDITED, 1),
        (bound("v9 x", "1"), 1),
        (FRESH[:-9], 1),
    ],
)
def test_the_exit_code_says_whether_all_is_fresh(thesis, valid, filled, write, text, code):
    write(text)
    answer = thesis("check", "numbers", "--json", workspace=filled)
    assert answer.code == code
    valid(answer)
    assert thesis("check", "numbers", workspace=filled).code == code


def test_what_is_wrong_is_listed_as_compilers_do(thesis, filled, write):
    write(f"# Talk\n\n{FRESH}, {STALE}\n\n- {EDITED}\n- {bound('v22 x', '1')}\n")
    out = thesis("check", "numbers", workspace=filled).out
    line, column = 3, len(FRESH) + 3
    assert f"{NOTE}:{line}:{column}: stale  81.9 % → 83.1 %  v2@best {HARD} .1%" in out
    assert "it was of v2@1; now it is of v2@2" in out
    assert f"{NOTE}:5:3: hand-edited  85 % → 83.1 %" in out
    assert f"{NOTE}:6:3: orphan  1  v22 x" in out
    assert "did you mean 'v2'?" in out
    assert "4 bound numbers: 1 fresh, 1 stale, 1 hand-edited, 1 orphan (3 measured)" in out
    assert "from synthetic data: 3 of them" in out
    assert "thesis check numbers --fix" in out
    assert f"{NOTE}:3:1: fresh" not in out
    assert f"{NOTE}:3:1: fresh" in thesis("check", "numbers", "--all", workspace=filled).out


def test_fix_writes_and_leaves_edits(thesis, valid, filled, write):
    path = write(f"Now {STALE} and {EDITED}")
    answer = thesis("check", "numbers", "--fix", "--json", workspace=filled)
    assert answer.code == 1
    data = valid(answer)
    assert data["written"] == [NOTE]
    assert [one["state"] for one in data["numbers"]] == ["fresh", "hand-edited"]
    assert path.read_text(encoding="utf-8") == f"Now {FRESH} and {EDITED}"
    assert thesis("check", "numbers", "--fix", "--edited", workspace=filled).code == 0
    assert path.read_text(encoding="utf-8") == f"Now {FRESH} and {FRESH}"
    assert thesis("check", "numbers", "--edited", workspace=filled).code == 2


def test_fix_can_be_undone(thesis, filled, write):
    path = write(f"Now {STALE}")
    assert thesis("check", "numbers", "--fix", workspace=filled).code == 0
    assert path.read_text(encoding="utf-8") == f"Now {FRESH}"
    assert thesis("vault", "undo", workspace=filled).code == 0
    assert path.read_text(encoding="utf-8") == f"Now {STALE}"


def test_a_hook_names_the_files_it_likes(thesis, filled, write, monkeypatch):
    path = write(STALE)
    other = filled.root / "README.md"
    other.write_text("# Thesis\n", encoding="utf-8")
    monkeypatch.chdir(filled.root)
    named = os.path.relpath(path)
    assert thesis("check", "numbers", named).code == 1
    assert thesis("check", "numbers", named.replace("/", "\\")).code == 1
    told = thesis("check", "numbers", "README.md")
    assert told.code == 0
    assert "passed over" in told.err
    missing = thesis("check", "numbers", "vault/Disc.md")
    assert missing.code == 3
    assert "did you mean 'Discussion.md'" in missing.err


def test_plain_numbers_are_suggested_with_a_command(thesis, valid, filled, write):
    write("We had 81.9 % then and have 83.1 % now.\n")
    told = thesis("check", "numbers", workspace=filled)
    assert told.code == 0
    command = f'thesis check bind --update "{NOTE}:1:8" "81.9 %" v2@best {HARD} .1%'
    assert command in told.out
    assert "was v2@1's, now 83.1 %" in told.out
    assert "no bound numbers" in told.out
    data = valid(thesis("check", "numbers", "--suggest", "--json", workspace=filled))
    assert [one["state"] for one in data["suggestions"]] == ["superseded", "current"]


def test_a_number_that_nothing_backs_is_listed_and_strict_refuses_it(thesis, valid, filled, write):
    write("We reach 97.3% AP on the hard subset, and 83.1 % here.\n")
    told = thesis("check", "numbers", workspace=filled)
    assert told.code == 0
    assert f"{NOTE}:1:10: unbacked  97.3%  reads like: percentage" in told.out
    assert "[@key]" in told.out
    assert "unbacked: 2 numbers read like a result" in told.out
    answer = thesis("check", "numbers", "--strict", "--json", workspace=filled)
    assert answer.code == 1
    data = valid(answer)
    assert data["counts"]["unbacked"] == 2
    first, second = data["unbacked"]
    assert (first["kind"], first["text"], first["command"]) == ("unbacked", "97.3%", None)
    assert second["command"] == f'thesis check bind "{NOTE}:1:43" "83.1 %" v2@best {HARD} .1%'


@pytest.mark.parametrize("mark", [" <!--t:own-->", " [@kim2025featherface]"])
def test_a_mark_or_a_citation_passes_strict(thesis, filled, write, mark):
    write(f"We reach 97.3% AP on the hard subset{mark}.\n")
    told = thesis("check", "numbers", "--strict", "--all", workspace=filled)
    assert told.code == 0
    assert "unbacked" not in told.out


def test_an_edited_block_is_a_finding(thesis, valid, filled, write):
    assert thesis("report", "sync", workspace=filled).code == 0
    assert thesis("check", "numbers", workspace=filled).code == 0
    path = filled.vault / "05-Results/Performance-Analysis.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("256,006", "156,006"), encoding="utf-8")
    answer = thesis("check", "numbers", "--json", workspace=filled)
    assert answer.code == 1
    (block,) = valid(answer)["blocks"]
    assert block["kind"] == "edited block"
    told = thesis("check", "numbers", workspace=filled)
    assert "edited block  05-Results/Performance-Analysis.md#results" in told.out
    assert "thesis vault take --new" in told.out
    export = thesis("vault", "export", "--to", "html", workspace=filled)
    assert export.code == 7
    assert "--force" in export.err
    forced = thesis("vault", "export", "--to", "html", "--force", "--json", workspace=filled)
    assert valid(forced)["numbers"]["altered"] == 1


def test_a_number_that_makes_html_of_its_line_is_told_and_fixed(thesis, filled, write):
    path = write(f"{FRESH} is **good**.\n")
    told = thesis("check", "numbers", workspace=filled)
    assert told.code == 0
    assert f"at the start of a line: 1, first {NOTE}:1:1" in told.out
    assert thesis("check", "numbers", "--fix", workspace=filled).code == 0
    assert path.read_text(encoding="utf-8") == f"&#8203;{FRESH} is **good**.\n"


def test_bind(thesis, valid, filled, write):
    path = write("We have 83.1 % now.\n")
    data = valid(
        thesis("check", "bind", NOTE, "83.1 %", "v2@best", HARD, ".1%", "--json", workspace=filled)
    )
    assert (data["line"], data["column"], data["text"]) == (1, 9, "83.1 %")
    assert path.read_text(encoding="utf-8") == f"We have {FRESH} now.\n"
    again = thesis("check", "bind", NOTE, "83.1 %", f"v2@best {HARD}", workspace=filled)
    assert again.code == 3
    write("83.1 %, 83.1 %")
    several = thesis("check", "bind", NOTE, "83.1 %", f"v2@best {HARD}", workspace=filled)
    assert several.code == 2
    assert "1:1, 1:9" in several.err
    other = thesis("check", "bind", f"{NOTE}:1:9", "83.1 %", "v2@1", HARD, workspace=filled)
    assert other.code == 7
    assert "--update" in other.err


def test_bind_takes_arithmetic_word_by_word(thesis, filled, write):
    path = write("saves 47.6 % of them")
    words = ("1", "-", "v2", "/", "v1", "params.total")
    assert thesis("check", "bind", NOTE, "47.6 %", *words, workspace=filled).code == 0
    assert bound("1 - v2 / v1 params.total .1%", "47.6 %") in path.read_text(encoding="utf-8")


def test_quote_prints_the_snippet_alone(thesis, valid, filled):
    told = thesis("check", "quote", "v2@best", HARD, workspace=filled)
    assert told.out == f"{bound(f'v2@best {HARD} .1%', '83.1%')}\n"
    assert "measured: v2@2" in told.err
    assert "synthetic" in told.err
    data = valid(thesis("check", "quote", "v2@best", HARD, "--json", workspace=filled))
    assert (data["value"], data["evidence"], data["runs"]) == (0.8312, ["measured"], ["v2@2"])


@pytest.mark.parametrize(
    ("reference", "code"),
    [("v2", 2), (f"v2 {HARD} .1q", 2), (f"v9 {HARD}", 3), ("v2 widerface.hard", 3)],
)
def test_quote_answers_a_wrong_reference(thesis, filled, reference, code):
    assert thesis("check", "quote", reference, workspace=filled).code == code


def test_a_workspace_without_a_vault_is_told(thesis, filled):
    filled.vault.rmdir()
    assert thesis("check", "numbers", workspace=filled).code == 3


@pytest.fixture
def disturbed(filled, make_run):
    """A latency of a machine that was not left alone, beside one that was."""
    for name, value, marks in (("v1", 8871.0, ("disturbed",)), ("v2", 46.0, ())):
        latency = Metric(name="latency.cpu.median_ms", value=value, unit="ms", marks=marks)
        make_run(filled, name, metrics=[dataclasses.replace(latency, source=f"{name}@x")])
    return filled


def test_a_bound_number_of_a_disturbed_machine_is_told_with_the_step(
    thesis, valid, disturbed, write
):
    write(f"It takes {bound('v1@2 latency.cpu.median_ms .0f', '8871')} ms.\n")
    call = ("check", "numbers", "--all")
    (row,) = valid(thesis(*call, "--json", workspace=disturbed))["numbers"]
    assert (row["state"], row["marks"]) == ("fresh", ["disturbed"])
    shown = thesis(*call, workspace=disturbed).out
    assert "(measured, disturbed)" in shown
    assert "measure again: thesis run v1@2 --stage benchmark --new" in shown


def test_a_disturbed_latency_is_not_reckoned_with(thesis, valid, disturbed, write):
    write(f"It takes {bound('v2@3 / v1@2 latency.cpu.median_ms .2f', '0.01')} of it.\n")
    answer = thesis("check", "numbers", "--json", workspace=disturbed)
    (row,) = valid(answer)["numbers"]
    assert (answer.code, row["state"]) == (1, "orphan")
    assert "not left alone" in row["reason"]


@pytest.fixture
def trained_on(filled, make_run):
    """An AP on the very pictures that the network was trained on."""
    score = make_run(filled, "v1").metric(HARD)
    make_run(filled, "v1", metrics=[dataclasses.replace(score, value=0.97, marks=("overlap",))])
    return filled


def test_a_bound_ap_on_training_pictures_is_told(thesis, valid, trained_on, write):
    write(f"It reaches {bound(f'v1@3 {HARD} .1%', '97.0 %')}.\n")
    (row,) = valid(thesis("check", "numbers", "--json", workspace=trained_on))["numbers"]
    assert row["marks"] == ["overlap"]
    shown = thesis("check", "numbers", "--all", workspace=trained_on).out
    assert "on its training pictures" in shown
    assert "from pictures that the network was trained on: 1 of them" in shown
    assert "on its training pictures" in thesis("report", "sync", workspace=trained_on).err


def test_an_ap_on_training_pictures_is_not_reckoned_with(thesis, valid, trained_on, write):
    write(f"It gains {bound(f'v1@3 - v2@2 {HARD} +.1p', '14')}.\n")
    answer = thesis("check", "numbers", "--json", workspace=trained_on)
    (row,) = valid(answer)["numbers"]
    assert (answer.code, row["state"]) == (1, "orphan")
    assert "pictures that the network was trained on" in row["reason"]
