"""`thesis vault export` from the command line."""

from __future__ import annotations

import re

import pytest

from vault_sync.commands import scaffold
from vault_sync.export.reading import pandoc


@pytest.fixture
def vault(workspace):
    scaffold.create(workspace)
    return workspace


def test_the_answer_keeps_to_its_schema(thesis, valid, vault):
    (vault.vault / "01-Notes").mkdir()
    (vault.vault / "01-Notes" / "n.md").write_text("# N\n\n[[gone]] [@none]\n", encoding="utf-8")
    answer = thesis("vault", "export", "--to", "html", "--json", workspace=vault)
    data = valid(answer)
    assert data["output"] == (vault.root / "export" / "thesis.html").as_posix()
    assert data["notes"][0] == "01-Notes/n.md"
    assert len([one for one in answer.json["warnings"] if one.startswith("01-Notes/n.md")]) == 2
    assert "01-Notes/n.md:3: the link leads nowhere: 'gone'" in answer.err


def test_the_text_names_what_was_written_and_left_out(thesis, vault, tmp_path):
    out = tmp_path / "mon mémoire.docx"
    answer = thesis("vault", "export", "--to", "docx", "--output", out, workspace=vault)
    assert answer.code == 0, answer.err
    assert f"written: {out}" in answer.out
    assert re.search(
        r"left out:\n.*\n  templates: Templates/Experiment-Log-Template.md", answer.out
    )
    assert out.is_file()


def test_exit_codes(thesis, vault, monkeypatch):
    assert thesis("vault", "export", "No such note", workspace=vault).code == 3
    assert thesis("vault", "export", "--to", "odt", workspace=vault).code == 2
    inside = vault.vault / "x.pdf"
    assert thesis("vault", "export", "--output", inside, workspace=vault).code == 7
    monkeypatch.setattr(pandoc.util, "find_spec", lambda _: None)
    answer = thesis("vault", "export", workspace=vault)
    assert answer.code == 4
    assert "-m pip install typst" in answer.err


def write(vault, notes, settings=""):
    for path, text in notes.items():
        (vault.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault.vault / path).write_text(text, encoding="utf-8")
    file = vault.root / "thesis.toml"
    file.write_text(file.read_text(encoding="utf-8") + settings, encoding="utf-8")


NOTES = {
    "Front/Abstract.md": "# Abstract\n\nWe count.\n",
    "01-A/a.md": "---\ntitle: x\n---\n# The *first*\n\ntext\n",
    "02-B/b.md": "no heading\n",
    "03-C/c.md": "---\nexport: appendix\n---\n# Tables\n\ntext\n",
    "README.md": "read me",
    **{f"Weekly/week {number}.md": "x" for number in range(6)},
}
SETTINGS = """
[document]
abstract = "Front/Abstract"
[export.parts]
Ground = ["02-B"]
"""


def test_a_dry_run_lists_the_notes_in_order_without_pandoc(thesis, valid, workspace, monkeypatch):
    write(workspace, NOTES, SETTINGS)
    monkeypatch.setattr(pandoc, "find_pandoc", lambda: pytest.fail("pandoc was asked"))
    answer = thesis("vault", "export", "--dry-run", workspace=workspace)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[:9] == [
        "abstract in English  (Front/Abstract.md)",
        "A",
        "  The first  (01-A/a.md)",
        "I. Ground",
        "B",
        "  b  (02-B/b.md)",
        "appendices:",
        "C",
        "  Tables  (03-C/c.md)",
    ]
    assert "still empty under [document] in thesis.toml: institution, degree" in answer.out
    assert "  read-me files: README.md" in lines
    assert "  weekly notes: 6 notes in Weekly" in lines
    assert not (workspace.root / "export").exists()
    data = valid(thesis("vault", "export", "--dry-run", "--json", workspace=workspace))
    assert [row["kind"] for row in data["outline"]] == [
        *("front", "folder", "note", "part", "folder", "note", "appendix", "appendix"),
    ]
    assert data["reasons"]["README.md"] == "readmes"


def test_the_summary_says_what_a_tired_student_asks(thesis, workspace):
    write(workspace, {**NOTES, "01-A/e.md": "# Empty\n\n## Too\n"}, SETTINGS)
    answer = thesis("vault", "export", workspace=workspace)
    assert answer.code == 0, answer.err
    assert re.search(r"^written: .*thesis\.pdf, 7 pages$", answer.out, re.MULTILINE)
    assert "before the first chapter: title page, abstract in English" in answer.out
    assert "empty, and not printed: 2 sections" in answer.out
    told = "01-A/e.md:1: not printed, for nothing stands below: Empty, Too (line 3)"
    assert told in " ".join(answer.err.split())


def test_settings_that_are_lists_are_shown_on_a_line(thesis, valid, workspace):
    write(workspace, {}, '[document]\njury = [{ name = "A", role = "Chair" }, "B"]\n')
    answer = thesis("config", "show", "document.jury", "export.order", workspace=workspace)
    assert "name: A; role: Chair, name: B" in answer.out
    rows = valid(thesis("config", "show", "document.jury", "--json", workspace=workspace))
    assert rows[0]["value"][1] == {"name": "B", "role": "", "affiliation": ""}


def test_a_wrong_setting_says_what_to_write(thesis, workspace):
    write(workspace, {}, '[document]\ndegree = "mastre"\n')
    answer = thesis("vault", "export", workspace=workspace)
    assert answer.code == 2
    assert "did you mean 'master'?" in answer.err


def test_slides_are_begun_and_made(thesis, valid, vault):
    missing = thesis("vault", "export", "--to", "slides", workspace=vault)
    assert missing.code == 3
    assert "thesis vault slides" in missing.err
    begun = thesis("vault", "slides", "--json", workspace=vault)
    assert valid(begun) == {"note": "Slides.md", "slides": 6}
    answer = thesis("vault", "export", "--to", "slides-html", "--json", workspace=vault)
    data = valid(answer)
    assert data["slides"] == 6
    assert data["output"] == (vault.root / "export" / "Slides.html").as_posix()
    assert "slide 2 (Question): nothing stands on it yet" in answer.err
    assert "6 slides" in thesis("vault", "export", "--to", "slides-html", workspace=vault).out
    assert thesis("vault", "slides", workspace=vault).code == 7


def test_options_of_documents_are_none_of_slides(thesis, vault):
    for option in (["--with-runs"], ["--dry-run"], ["--pdf-engine", "lualatex"]):
        answer = thesis("vault", "export", "--to", "slides", *option, workspace=vault)
        assert answer.code == 2, option
        assert "slides know none" in answer.err
    answer = thesis("vault", "export", "--to", "html", "--notes", workspace=vault)
    assert answer.code == 2
    assert "thesis vault export --to slides --notes" in answer.err
