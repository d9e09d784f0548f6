"""Letters that no font has are told, and which font to install."""

from __future__ import annotations

import pytest

from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.drawings import letters
from vault_sync.export.exporting import export

COVERED = "Été, ελληνικά, русский, עברית: “x” → ∑ ≤ ☐ ☒ ✓ — € 𝟙 𝓛 ﬁ"


@pytest.fixture
def only_dejavu(monkeypatch):
    """No font but the one that is always there."""
    monkeypatch.setattr(letters, "_installed", lambda: iter([letters.bundled()]))


def test_what_is_covered_reads_no_font():
    assert letters.uncovered(COVERED.replace("☐ ☒ ✓", ""), iter(())) == set()
    assert letters.uncovered(COVERED, (letters.bundled(),)) == set()


def test_what_is_not_covered():
    text = "a 实验 b ไทย c"
    assert letters.uncovered(text, (letters.bundled(),)) == set("实验ไทย")
    assert letters.uncovered("实", ()) == {"实"}


def test_a_file_that_is_no_font_covers_nothing(tmp_path):
    (tmp_path / "x.ttf").write_bytes(b"nothing")
    assert letters.uncovered("实", (tmp_path / "x.ttf",)) == {"实"}


def test_a_pdf_tells_the_font(workspace, only_dejavu):
    table = "| ひ | ไทย |\n|--|--|\n| 한 | 🫠[^1] |\n\n[^1]: ཀ\n"
    note = f"---\nx: 1\n---\n# A\n\nText 实验 and\n\n{table}"
    (workspace.vault / "a.md").write_text(note, encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="pdf"))
    told = {warning.partition(": ")[0]: warning for warning in done.warnings}
    assert told["a.md:6"] == (
        "a.md:6: no font here has 实 验: boxes stand there; install the font Noto Serif CJK SC"
    )
    fonts = sorted(warning.partition("the font ")[2] for warning in done.warnings)
    assert fonts == [
        "Noto Emoji",
        "Noto Serif CJK JP",
        "Noto Serif CJK KR",
        "Noto Serif CJK SC",
        "Noto Serif Thai",
        "Noto Serif Tibetan",
    ]
    assert not export(workspace, (), ExportOptions(to="html")).warnings
