"""The state of the art: every published result with its source, by citation key."""

import re

import pytest

from experiments.records.bibliography import read_references
from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync

NOTE = "02-Literature-Review/Ultra-Light-Models.md"
pytestmark = pytest.mark.usefixtures("quick_plots")


def read(workspace):
    return (workspace.vault / NOTE).read_text(encoding="utf-8")


def rows(text):
    return [line for line in text.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_reads_as_it_was_accepted(synced, golden, language):
    text = re.sub(r"sha=[0-9a-f]{64}", "sha=...", read(synced(language)))
    golden(f"{language}/{NOTE}", text)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_key_that_is_cited_is_in_the_bibliography(thesis, language):
    workspace = thesis(language)
    keys = set(re.findall(r"\[@([^\]]+)\]", read(workspace)))
    assert len(keys) >= 6
    assert keys <= set(read_references(workspace))
    assert sync(workspace).warnings == []


def configure(workspace, text):
    config = workspace.root / "thesis.toml"
    config.write_text(text + config.read_text(encoding="utf-8"), encoding="utf-8")
    return Workspace.open(workspace.root)


def add_result(workspace, **values):
    table = "\n".join(f"{key} = '{value}'" for key, value in values.items())
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    metrics = "[cited.mine.metrics]\n'params.total' = 1000\n"
    config.write_text(f"{text}\n[cited.mine]\n{table}\n{metrics}", encoding="utf-8")
    return Workspace.open(workspace.root)


def test_a_key_without_an_entry_is_told(workspace):
    changed = add_result(workspace, title="Mine", source="somewhere", key="me2026mine")
    report = sync(changed)
    assert "[@me2026mine]" in read(changed)
    (warning,) = [one for one in report.warnings if "me2026mine" in one]
    assert "is in no bibliography" in warning
    (changed.root / "refs.bib").write_text("@misc{me2026mine, title = {M}}", encoding="utf-8")
    report = sync(configure(changed, 'bibliography = "refs.bib"\n'))
    assert report.written == []
    assert not any("me2026mine" in one for one in report.warnings)


def test_a_broken_bibliography_is_told_and_stops_nothing(workspace):
    (workspace.root / "refs.bib").write_text("@misc{a, title = {x}", encoding="utf-8")
    changed = configure(workspace, 'bibliography = "refs.bib"\n')
    report = sync(changed)
    assert NOTE in report.written
    assert any(
        "refs.bib:1: the entry that begins here has no end" in one for one in report.warnings
    )
    (workspace.root / "refs.bib").unlink()
    assert any("can't read the bibliography" in one for one in sync(changed).warnings)


@pytest.mark.parametrize(
    "text", ["../x", "CON", "a|b", "[[x]]", "%%", "<%* %>", "-->", "x" * 300, "[@key]", "`$= x`"]
)
def test_hostile_words_keep_the_columns(workspace, text):
    changed = add_result(workspace, title=text, source=text, remark=text, protocol=text)
    assert sync(changed).problem is None
    table = rows(read(changed).split("### Targets")[0])
    assert len(table) > 10
    assert {row.replace("\\|", "").count("|") for row in table} == {10}
    assert not any(sign in row for row in table for sign in ("%%", "<%", "-->", "[[x", "`$"))
