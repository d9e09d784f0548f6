"""An Obsidian-flavoured parser on Node reads the notes as we meant them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

HERE = Path(__file__).parent / "remark"
pytestmark = [pytest.mark.external, pytest.mark.slow]


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """The folder where npm installed remark/package.json, named by THESIS_REMARK."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: remark-obsidian can't read the notes")
    place = os.environ.get("THESIS_REMARK")
    if not place or not (Path(place) / "node_modules" / "remark-gfm").is_dir():
        pytest.skip(
            "THESIS_REMARK names no folder with remark-obsidian: copy tests/verifiers/remark "
            "somewhere, run npm install there, and name it"
        )
    shutil.copy(HERE / "check.mjs", place)
    return Path(place) / "check.mjs"


@pytest.fixture
def seen(reader, filled):
    """Note -> what the parser sees in it."""
    command = ["node", str(reader), str(filled.vault)]
    answer = subprocess.run(command, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    found = json.loads(answer.stdout)
    assert set(found) == set(filled.notes)
    return found


def every(seen, kind):
    return [(note, one) for note, found in seen.items() for one in found[kind]]


def test_every_wikilink_leads_to_a_file(seen, filled):
    links = every(seen, "wikilinks")
    assert links
    for note, link in links:
        assert filled.holds(link["path"]), f"{note}:{link['line']}: [[{link['path']}]]"


def test_every_picture_and_link_is_there(seen, filled):
    pictures = every(seen, "images")
    assert pictures
    for note, one in pictures + every(seen, "links"):
        if not one["url"].startswith(("http:", "https:", "mailto:")):
            path = (filled.vault / note).parent / unquote(one["url"])
            assert path.is_file(), f"{note}:{one['line']}: {one['url']}"


def test_rows_have_the_columns_of_their_table(seen):
    tables = every(seen, "tables")
    assert tables
    for note, table in tables:
        assert len(set(table["columns"])) == 1, f"{note}:{table['line']}: {table['columns']}"


def test_hostile_texts_are_no_syntax(seen):
    for kind in ("comments", "highlights"):
        assert every(seen, kind) == []
    assert [one for _, one in every(seen, "tags") if one["value"] == "t"] == []
    targets = {link["path"] for _, link in every(seen, "wikilinks")}
    assert targets.isdisjoint({"x", "y", "p.png"})


def test_the_only_html_is_our_markers(seen):
    for note, one in every(seen, "html"):
        ours = one["value"].startswith(("<!-- thesis:", "<!--t:", "<!--/t-->"))
        assert ours or one["value"] == "<br>", f"{note}:{one['line']}: {one['value']}"


def test_no_block_is_code_of_a_plugin(seen):
    languages = {one["language"] for _, one in every(seen, "code")}
    assert not languages & {"dataview", "dataviewjs", "templater"}
