"""The bibliography: what citing needs of BibTeX, read as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.records.bibliography import missing, parse_bibtex, read_references
from experiments.workspace.milestones import read_cited
from experiments.workspace.workspace import Workspace
from featherface.errors import DataError, NotFoundError, UsageError

ENTRY = "@article{key2025,\n  title = {A {Braced} title with \\} and @article{no}},\n}"


def test_every_packaged_key_has_an_entry(workspace):
    references = read_references(workspace)
    keys = [one.key for one in read_cited({}).values() if one.key]
    assert "kim2025featherface" in keys
    assert missing(keys, references) == []
    assert all(text.count("{") == text.count("}") for text in references.values())


def test_published_results_are_cited_by_key():
    for one in read_cited({}).values():
        assert bool(one.key) <= (one.evidence == "cited")


def test_entries_are_kept_as_they_were_written():
    text = f"Some words.\n\n{ENTRY}\n\n@comment{{ignored}}\n@book ( other , year = 2001 )\n"
    entries = parse_bibtex(text, "refs.bib")
    assert entries == {"key2025": ENTRY, "other": "@book ( other , year = 2001 )"}
    assert parse_bibtex("\n".join(entries.values()), "again") == entries


def test_an_entry_that_is_commented_out_is_none():
    assert parse_bibtex(f"% {ENTRY}", "refs.bib") == {}


def test_the_first_of_two_entries_of_one_key_stands():
    text = "@misc{a, year = 1}\n@misc{a, year = 2}"
    assert parse_bibtex(text, "refs.bib") == {"a": "@misc{a, year = 1}"}


def test_macros_go_with_the_entries_that_use_them():
    text = '@string{cvpr = "CVPR"}\n@misc{a, booktitle = cvpr # " 2020"}\n@misc{b, year = 1}'
    entries = parse_bibtex(text, "refs.bib")
    assert entries["a"].startswith("@string{cvpr")
    assert entries["b"] == "@misc{b, year = 1}"


@pytest.mark.parametrize(
    ("text", "line"), [("\n\n@misc{a, title = {x}", 3), ("@misc{a}\n\n@misc{ }", 1)]
)
def test_a_broken_entry_is_named_with_its_line(text, line):
    with pytest.raises(DataError, match=f"refs.bib:{line}:"):
        parse_bibtex(text, "refs.bib")


@given(st.text(alphabet='@{}()a\\,=%\n "é', max_size=60))
def test_reading_never_fails_otherwise(text):
    try:
        entries = parse_bibtex(text, "refs.bib")
    except DataError:
        return
    assert all(entry in text for entry in entries.values())


def test_the_students_file_wins(workspace):
    own = workspace.root / "thèse.bib"
    own.write_bytes("\ufeff@misc{kim2025featherface, note = {mine}}\r\n".encode())
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f'bibliography = "thèse.bib"\n{text}', encoding="utf-8")
    references = read_references(Workspace.open(workspace.root))
    assert "mine" in references["kim2025featherface"]
    assert "deng2020retinaface" in references
    own.unlink()
    with pytest.raises(NotFoundError, match=r"thèse\.bib"):
        read_references(Workspace.open(workspace.root))


@pytest.mark.parametrize("key", ["a b", "a|b", "[[x]]", "-->", "a]", 3])
def test_what_can_not_be_cited_is_no_key(key):
    with pytest.raises(UsageError, match="no citation key"):
        read_cited({"x": {"source": "s", "metrics": {}, "key": key}})
