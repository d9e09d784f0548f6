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
