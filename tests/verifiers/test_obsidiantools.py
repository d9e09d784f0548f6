"""obsidiantools, a reader of vaults, finds every link, picture and property that we write."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from obsidiantools.api import Vault

pytestmark = pytest.mark.slow


@pytest.fixture
def read(filled):
    return Vault(filled.vault).connect().gather()


def test_every_link_and_picture_is_there(filled, read):
    # It undoes `&#91;` before it looks for links: a hostile text's [[x]] is one to it alone.
    assert set(read.nonexistent_notes) <= {"x", "y"}
    assert all(filled.holds(name) for name in read.nonexistent_media_files if name != "p.png")
    assert read.nonexistent_canvas_files == []


def test_it_reads_every_note(filled, read):
    assert len(read.md_file_index) == len(filled.notes)


def test_properties_are_flat_and_of_one_type_each(read):
    types = {}
    for note in read.md_file_index:
        for key, value in read.get_front_matter(note).items():
            assert not isinstance(value, dict), f"{note}: {key}"
            types.setdefault(key, set()).add(type(value))
    assert {key: found for key, found in types.items() if len(found) > 1} == {}
    assert types["mean_ap"] == {float}


def test_runs_are_told_by_their_properties(read):
    run = read.get_front_matter("v2@1")
    assert (run["experiment"], run["version"], run["run_status"]) == ("v2", 1, "sealed")


def test_chapters_lead_to_runs(read):
    assert "Performance-Analysis" in read.get_backlinks("v2@1")
    assert "v1@1" in read.get_wikilinks("v2@1")
