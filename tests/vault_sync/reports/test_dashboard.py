"""The dashboard, the base of the runs and the map of the thesis."""

import json
import re

import pytest
from ruamel.yaml import YAML

from experiments.records.annotations import VERDICTS
from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync
from vault_sync.engine.text.front_matter import read_front_matter
from vault_sync.engine.text.markers import scan
from vault_sync.rendering.words import Words
from vault_sync.reports.sections.canvas import node_id
from vault_sync.reports.sections.runs_base import COLUMNS, runs_base

HOSTILE = [
    "../x",
    "CON",
    "a|b",
    "[[x]]",
    "%%",
    "<%* tp.x %>",
    "-->",
    "x" * 300,
    '"quoted" \\ é',
    "```",
    "{{ 7 * 7 }}",
]
LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])


def read(workspace, path):
    return (workspace.vault / path).read_text(encoding="utf-8")


def change(workspace, path, before, after):
    file = workspace.vault / path
    data = file.read_bytes()
    assert before.encode() in data
    file.write_bytes(data.replace(before.encode(), after.encode(), 1))


@LANGUAGES
@pytest.mark.parametrize("path", ["Dashboard.md", "Runs.base", "Thesis-Map.canvas"])
def test_it_reads_as_it_was_accepted(synced, golden, language, path):
    text = re.sub(r"sha=[0-9a-f]{64}", "sha=...", read(synced(language), path))
    golden(f"{language}/{path}", text)


@pytest.mark.usefixtures("quick_plots")
def test_before_the_first_run_it_says_how_to_begin(workspace):
    assert sync(workspace).problem is None
    assert "Start with `thesis run v1`." in read(workspace, "Dashboard.md")
    assert not (workspace.vault / "Runs.base").exists()
    assert sync(workspace).written == []


# --- what waits -----------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_plots")
def test_what_waits_is_told_in_one_sync(thesis, make_run):
    workspace = thesis()
    make_run(workspace, "v3", status="interrupted")
    change(workspace, "05-Results/Performance-Analysis.md", "Each row is", "Every row is")
    change(workspace, "05-Results/Milestones.md", "thesis:end id=milestones", "thesis:end id=x")
    change(workspace, "05-Results/Runs/v2@1.md", "status: open", "status: confirmed")
    copy = workspace.vault / "Dashboard.sync-conflict-20260101-101010-ABCDEFG.md"
    copy.write_bytes((workspace.vault / "Dashboard.md").read_bytes())
    (workspace.vault / "Prose.md").write_text(
        "It reaches <!--t:v2 widerface.hard.ap .1%-->99.9%<!--/t--> on faces.\n", encoding="utf-8"
    )
    sync(workspace)
    text = read(workspace, "Dashboard.md")
    waits = text.split("## What waits for you")[1].split("## Chapters")[0]
    assert "v3@1 is interrupted: `thesis run v3 --resume`" in waits
    assert "`05-Results/Performance-Analysis.md:11`: a block was edited by hand" in waits
    assert "`05-Results/Milestones.md`, line 9: a block's markers are broken" in waits
    assert "[[v2@1]]: what you wrote in its note is not taken over yet" in waits
    assert "do not say: 1. See `thesis check numbers`." in waits
    assert "conflict copy" in waits
    assert sync(workspace).written == []


@pytest.mark.usefixtures("quick_plots")
def test_another_layout_of_a_table_is_no_edit(thesis):
    workspace = thesis()
    change(workspace, "05-Results/Performance-Analysis.md", "| [[v1@1]] | ", "|  [[v1@1]]    | ")
    sync(workspace)
    assert "edited by hand" not in read(workspace, "Dashboard.md")


# --- owned whole ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["Runs.base", "Thesis-Map.canvas"])
def test_a_changed_file_is_a_conflict_and_stays(thesis, make_run, path):
    workspace = thesis()
    file = workspace.vault / path
    file.write_bytes(file.read_bytes() + b"\n")
    changed = file.read_bytes()
    make_run(workspace, "v3")
    report = sync(workspace)
    assert path in report.conflicts
    assert file.read_bytes() == changed


def test_they_go_with_the_dashboard(thesis):
    workspace = thesis()
    for path in ("Dashboard.md", "Runs.base", "Thesis-Map.canvas"):
        (workspace.vault / path).unlink()
    sync(workspace)
    assert not (workspace.vault / "Dashboard.md").exists()
    assert not (workspace.vault / "Runs.base").exists()


@pytest.mark.usefixtures("quick_plots")
def test_they_stand_beside_the_dashboard(workspace, make_run):
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("[chapters]", '[chapters]\ndashboard = "00-Home/Start"'), encoding="utf-8"
    )
    changed = Workspace.open(workspace.root)
    make_run(changed, "v1")
    sync(changed)
    assert "![[00-Home/Runs.base]]" in read(changed, "00-Home/Start.md")
    assert (changed.vault / "00-Home" / "Thesis-Map.canvas").is_file()


@pytest.mark.usefixtures("quick_plots")
def test_plain_links_are_honoured(workspace, make_run):
    (workspace.vault / ".obsidian").mkdir()
    settings = {"useMarkdownLinks": True}
    (workspace.vault / ".obsidian" / "app.json").write_text(json.dumps(settings), encoding="utf-8")
    make_run(workspace, "v1")
    sync(workspace)
    text = read(workspace, "Dashboard.md")
    assert "![all runs](Runs.base)" in text
    assert "[the map of the thesis](Thesis-Map.canvas)" in text


# --- the base -------------------------------------------------------------------------------


@LANGUAGES
def test_the_base_is_yaml_that_obsidian_reads(language):
    text = runs_base(Words(language)).decode()
    base = YAML(typ="safe", pure=True).load(text)
    assert set(base) == {"filters", "properties", "views"}
    names = [view["name"] for view in base["views"]]
    assert len(set(names)) == len(names) >= 3
    for view in base["views"]:
        assert set(view) <= {"type", "name", "filters", "groupBy", "order", "sort"}
        assert view["type"] == "table"
        shown = {*view["order"], *(one["property"] for one in view["sort"])}
        shown |= {view["groupBy"]["property"]} if "groupBy" in view else set()
        assert shown <= set(base["properties"])
        assert all(one["direction"] in ("ASC", "DESC") for one in view["sort"])
        assert all(isinstance(one, str) for one in view.get("filters", {}).get("and", []))
    assert all(word in text for word in VERDICTS["open"])


@LANGUAGES
def test_the_columns_are_properties_of_every_runs_note(synced, language):
    workspace = synced(language)
    for note in (workspace.vault / "05-Results" / "Runs").glob("*.md"):
        front = read_front_matter(note.read_bytes())
        assert all(front.find(key) is not None for key in COLUMNS), note
        assert front.find("thesis_id").raw.decode().startswith("run/")


# --- the map --------------------------------------------------------------------------------


def check_canvas(data: bytes) -> dict:
    """Check a file by JSON Canvas 1.0."""
    canvas = json.loads(data)
    assert set(canvas) == {"nodes", "edges"}
    kinds = {"text": {"text"}, "file": {"file"}, "group": {"label"}}
    common = {"id", "type", "x", "y", "width", "height"}
    for node in canvas["nodes"]:
        assert set(node) - {"color"} == common | kinds[node["type"]]
        assert all(type(node[key]) is int for key in ("x", "y", "width", "height"))
        assert node["width"] > 0
        assert node["height"] > 0
        assert re.fullmatch(r"[1-6]|#[0-9A-Fa-f]{6}", node.get("color", "1"))
    ids = [node["id"] for node in canvas["nodes"]]
    assert len(set(ids)) == len(ids)
    sides = {"top", "right", "bottom", "left"}
    for edge in canvas["edges"]:
        assert {"id", "fromNode", "toNode"} <= set(edge)
        assert set(edge) <= {"id", "fromNode", "fromSide", "toNode", "toSide", "label"}
        assert {edge["fromNode"], edge["toNode"]} <= set(ids)
        assert {edge["fromSide"], edge["toSide"]} <= sides
    lines = [edge["id"] for edge in canvas["edges"]]
    assert len(set(lines)) == len(lines)
    return canvas


@LANGUAGES
def test_the_map_is_a_canvas_whose_files_are_there(synced, language):
    workspace = synced(language)
    canvas = check_canvas((workspace.vault / "Thesis-Map.canvas").read_bytes())
    files = [node["file"] for node in canvas["nodes"] if node["type"] == "file"]
    assert "05-Results/Runs/v2@1.md" in files
    assert all((workspace.vault / path).is_file() for path in files)
    starts = {edge["fromNode"]: edge["toNode"] for edge in canvas["edges"]}
    texts = {node["id"]: node for node in canvas["nodes"]}
    assert texts[starts[node_id("milestone v1-parameters")]]["type"] == "file"


def test_no_card_lies_on_another(synced):
    canvas = check_canvas((synced().vault / "Thesis-Map.canvas").read_bytes())
    cards = [node for node in canvas["nodes"] if node["type"] != "group"]
    for place, one in enumerate(cards):
        for other in cards[place + 1 :]:
            beside = (
                one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            )
            below = (
                one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
            )
            assert beside or below


@pytest.mark.usefixtures("quick_plots")
def test_ids_stay_when_something_is_added(thesis, make_run):
    workspace = thesis()
    file = workspace.vault / "Thesis-Map.canvas"
    before = {node["id"] for node in check_canvas(file.read_bytes())["nodes"]}
    make_run(workspace, "v9", hypothesis="Another one.")
    sync(workspace)
    after = {node["id"] for node in check_canvas(file.read_bytes())["nodes"]}
    assert before < after


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_break_nothing(workspace, make_run, text):
    make_run(workspace, "v1", hypothesis=text, dataset=text or "x")
    assert sync(workspace).problem is None
    check_canvas((workspace.vault / "Thesis-Map.canvas").read_bytes())
    note = (workspace.vault / "Dashboard.md").read_bytes()
    (block,) = scan(note).blocks
    rows = [line for line in block.body.decode().split("\n") if line.startswith("|")]
    assert len(rows) > 5
    cells = [row.replace("\\|", "").count("|") for row in rows]
    assert cells[:3] == [5, 5, 5]  # the data are said above the latest runs
    assert set(cells[3:]) == {6}, rows
    assert not any(sign in block.body.decode() for sign in ("%%", "<%", "-->"))


@pytest.mark.usefixtures("quick_plots")
def test_a_damaged_record_is_left_out(thesis, make_run):
    workspace = thesis()
    damaged = make_run(workspace, "v3")
    results = damaged.folder / "results.json"
    results.write_text(results.read_text(encoding="utf-8") + " ", encoding="utf-8")
    unreadable = make_run(workspace, "v4")
    unreadable.folder.with_name("001.notes.json").write_text("{", encoding="utf-8")
    lost = make_run(workspace, "v5", status="interrupted")
    (lost.folder / "record.json").write_text("[", encoding="utf-8")
    report = sync(workspace)
    assert "Dashboard.md" not in report.refused, report.reasons
    text = read(workspace, "Dashboard.md")
    assert "[[v2@1]]" in text
    assert not re.search(r"v[345]@1", text + read(workspace, "Thesis-Map.canvas"))
