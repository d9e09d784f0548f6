import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand_ins.markdown_samples import unpadded

from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.errors import LockedError, NotFoundError, RefusedError, UnavailableError
from vault_sync.commands import scaffold
from vault_sync.commands.sync import add_comparison, sync
from vault_sync.engine.disk import locking
from vault_sync.engine.disk.locking import locked
from vault_sync.engine.text.markers import scan

pytestmark = pytest.mark.usefixtures("quick_plots")
written_both_ways = pytest.mark.usefixtures("both_ways")

PERFORMANCE = "05-Results/Performance-Analysis.md"
COMPARISON = "05-Results/Comparative-Studies.md"
DASHBOARD = "Dashboard.md"
"""Lists what waits for a decision, so it changes with conflicts."""
OVERVIEWS = {DASHBOARD, "05-Results/Thesis-Map.canvas", "Thesis-Map.canvas"}


def read(workspace, path) -> str:
    return (workspace.vault / path).read_text(encoding="utf-8")


def change(workspace, path, old, new):
    file = workspace.vault / path
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, 1))


@written_both_ways
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_new_vault_holds_every_chapter_and_no_hidden_file(tmp_path, language):
    workspace = Workspace.create(tmp_path, language=language)
    notes = scaffold.create(workspace)
    assert set(notes) == {
        f"{path}.md"
        for name, path in workspace.chapters.items()
        if name not in ("runs", "pipeline", "weekly", "galleries")
    }
    assert list(workspace.vault.rglob(".*")) == []
    assert scaffold.create(workspace) == []


@written_both_ways
def test_runs_fill_the_chapters(thesis):
    workspace = thesis()
    for path in (
        PERFORMANCE,
        COMPARISON,
        "05-Results/Milestones.md",
        "05-Results/Runs/v2@1.md",
        "Technical-Notes/Model-Pipeline/v2_monitor.md",
    ):
        text = read(workspace, path)
        (block, *_) = scan(text.encode()).blocks
        assert block.body
        assert "v2@1" in text or "v1@1" in text
        assert not re.search(r"TODO|TBD|FIXME|lorem|XXX|\bNone\b|\bnan\b", text)


@written_both_ways
def test_a_second_sync_writes_nothing(thesis, stamps):
    workspace = thesis()
    before = stamps(workspace.vault)
    journals = len(list((workspace.state / "journal").iterdir()))
    report = sync(workspace)
    assert report.written == []
    assert set(before) == set(report.unchanged)
    assert stamps(workspace.vault) == before
    assert len(list((workspace.state / "journal").iterdir())) == journals


def test_a_second_sync_needs_no_plots_and_no_resampling(thesis):
    workspace = thesis()
    code = (
        "import sys; from experiments.workspace.workspace import Workspace; "
        "from vault_sync.commands.sync import sync; "
        "report = sync(Workspace.find(explicit=sys.argv[1])); assert report.written == []; "
        "print(sorted({'torch', 'matplotlib', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, workspace.root], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


@written_both_ways
def test_losing_all_state_loses_nothing(thesis, stamps):
    workspace = thesis()
    before = stamps(workspace.vault)
    (workspace.state / "vault.json").unlink()
    for base in (workspace.state / "bases").iterdir():
        base.unlink()
    report = sync(workspace)
    assert (report.written, report.conflicts, report.refused) == ([], [], [])
    assert stamps(workspace.vault) == before


@written_both_ways
def test_a_new_run_changes_only_the_blocks(thesis, make_run):
    workspace = thesis()
    change(workspace, PERFORMANCE, b"## Discussion", b"## Discussion\r\n\r\nMine \xff\xfe bytes")
    before = (workspace.vault / PERFORMANCE).read_bytes()
    make_run(workspace, "v2", variant="v2", matches=True, seed=2)
    report = sync(workspace)
    assert PERFORMANCE in report.written
    assert "05-Results/Runs/v2@2.md" in report.written
    after = (workspace.vault / PERFORMANCE).read_bytes()
    (old,), (new,) = scan(before).blocks, scan(after).blocks
    assert before[: old.start] == after[: new.start]
    assert before[old.stop :] == after[new.stop :]
    assert "v2@2" in new.body.decode()


prose = st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode)).filter(
    lambda data: b"thesis:" not in data and b"``" not in data and b"~~" not in data
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=prose, after=prose, ending=st.sampled_from([b"\n", b"\r\n"]))
def test_random_prose_around_a_block_survives(workspace, make_run, before, after, ending):
    path = workspace.vault / PERFORMANCE
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = [b"<!-- thesis:begin id=results template=performance -->",
             b"<!-- thesis:end id=results -->"]  # fmt: skip
    path.write_bytes(b"." + before + ending + ending.join(marks) + ending + after)
    if not Store(workspace).runs():
        make_run(workspace, "v1")
    sync(workspace)
    data = path.read_bytes()
    (block,) = scan(data).blocks
    assert block.body
    assert data[: block.start] == b"." + before + ending
    assert data[block.stop :] == ending + after
    assert not re.search(rb"(?<!\r)\n", data[block.start : block.stop]) or ending == b"\n"


@written_both_ways
def test_an_edited_block_is_a_conflict_and_the_disk_stays(thesis, stamps, make_run):
    workspace = thesis()
    change(workspace, PERFORMANCE, b"64.0%", b"99.9%")
    before = stamps(workspace.vault)
    for _ in range(2):
        report = sync(workspace)
        assert report.conflicts == [PERFORMANCE]
        assert set(report.written) <= {DASHBOARD}
        assert {**stamps(workspace.vault), DASHBOARD: None} == {**before, DASHBOARD: None}
        assert isinstance(report.problem, RefusedError)
        assert "edited by hand" in report.problem.message
    (kept,) = (workspace.state / "conflicts").rglob("results.md")
    assert b"64.0%" in kept.read_bytes()
    make_run(workspace, "v2", variant="v2")
    report = sync(workspace)
    assert report.conflicts == [PERFORMANCE]
    assert "05-Results/Runs/v2@2.md" in report.written
    assert "99.9%" in read(workspace, PERFORMANCE)


def test_undoing_the_edit_ends_the_conflict(thesis):
    workspace = thesis()
    change(workspace, PERFORMANCE, b"64.0%", b"99.9%")
    assert sync(workspace).conflicts
    change(workspace, PERFORMANCE, b"99.9%", b"64.0%")
    assert sync(workspace).problem is None


def test_broken_markers_refuse_one_file_and_name_the_line(thesis, make_run):
    workspace = thesis()
    change(workspace, PERFORMANCE, b"<!-- thesis:end id=results -->", b"")
    make_run(workspace, "v2", variant="v2")
    report = sync(workspace)
    assert report.refused == [PERFORMANCE]
    assert re.search(
        rf"{PERFORMANCE}:\d+: block 'results' begins here and never ends", report.reasons[0]
    )
    assert COMPARISON in report.written


@written_both_ways
def test_a_note_that_was_renamed_is_still_kept_and_linked(thesis, make_run):
    workspace = thesis()
    runs = workspace.vault / "05-Results" / "Runs"
    (runs / "v1@1.md").rename(workspace.vault / "My first run.md")
    report = sync(workspace)
    assert PERFORMANCE in report.written
    assert "[[My first run\\|v1@1]]" in read(workspace, PERFORMANCE)
    assert not (runs / "v1@1.md").exists()


def test_a_deleted_run_note_stays_deleted_and_is_not_linked(thesis):
    workspace = thesis()
    note = workspace.vault / "05-Results" / "Runs" / "v1@1.md"
    note.unlink()
    sync(workspace)
    assert not note.exists()
    assert "| v1@1 |" in unpadded(read(workspace, PERFORMANCE))
    assert sync(workspace).written == []
    assert "05-Results/Runs/v1@1.md" in sync(workspace, recreate=True).written
    assert "[[v1@1]]" in read(workspace, PERFORMANCE)


def test_a_changed_record_is_not_reported(thesis, stamps):
    workspace = thesis()
    run = Store(workspace).find("v2@1")
    results = run.folder / "results.json"
    results.write_text(results.read_text().replace("0.64", "0.94"))
    before = stamps(workspace.vault)
    report = sync(workspace)
    assert "runs/v2/001" in report.refused
    of_v1 = "Technical-Notes/Model-Pipeline/v1_monitor.md"  # a claim about v1 speaks of v2 too
    assert set(report.written) <= {"05-Results/Milestones.md", of_v1, *OVERVIEWS}
    for path in report.written:
        assert "94.0%" not in read(workspace, path)
        before.pop(path)
    assert any("changed after" in reason and "results.json" in reason for reason in report.reasons)
    assert before.items() <= stamps(workspace.vault).items()


def test_a_dry_run_writes_nothing_and_shows_what_would_change(thesis, make_run, stamps):
    workspace = thesis()
    make_run(workspace, "v2", variant="v2")
    before = stamps(workspace.vault)
    state = stamps(workspace.state / "bases")
    report = sync(workspace, dry_run=True)
    assert PERFORMANCE in report.written
    assert "+| [[v2@2]]" in report.diffs[PERFORMANCE]
    assert stamps(workspace.vault) == before
    assert stamps(workspace.state / "bases") == state
    assert sync(workspace, check=True).written == report.written
    assert sync(workspace).written == report.written


def test_a_vault_that_is_not_there(workspace):
    workspace.vault.rmdir()
    with pytest.raises(NotFoundError, match="does not exist"):
        sync(workspace)
    workspace.vault.write_text("a file")
    with pytest.raises(NotFoundError, match="is no folder"):
        sync(workspace)
    with pytest.raises(NotFoundError, match="is no folder"):
        scaffold.create(workspace)


def test_a_read_only_vault(workspace, stamps):
    workspace.vault.chmod(0o555)
    try:
        with pytest.raises(UnavailableError, match="read-only"):
            sync(workspace)
    finally:
        workspace.vault.chmod(0o755)
    assert stamps(workspace.vault) == {}


@written_both_ways
def test_a_vault_elsewhere_keeps_its_own_memory(thesis, tmp_path):
    workspace = thesis()
    other = tmp_path / "other vault"
    other.mkdir()
    assert PERFORMANCE in sync(workspace, to=other).written
    assert sync(workspace, to=other).written == []
    assert sync(workspace, to="vault").written == []
    (other / PERFORMANCE).unlink()
    sync(workspace, to=other)
    assert (workspace.vault / PERFORMANCE).exists()


def test_two_syncs_do_not_run_at_once(workspace, monkeypatch):
    monkeypatch.setattr(locking, "PATIENCE", 0)
    with locked(workspace.vault), pytest.raises(LockedError, match="another sync"):
        sync(workspace)


@written_both_ways
def test_a_chapter_may_live_elsewhere_but_not_outside(workspace):
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("[chapters]", '[chapters]\nperformance = "Mine/Results"'), encoding="utf-8"
    )
    assert "Mine/Results.md" in sync(Workspace.open(workspace.root)).written
    config.write_text(
        text.replace("[chapters]", '[chapters]\nperformance = "../x"'), encoding="utf-8"
    )
    with pytest.raises(RefusedError, match=r"chapters\.performance"):
        sync(Workspace.open(workspace.root))


@written_both_ways
def test_an_unmounted_vault_stops_the_sync(thesis):
    workspace = thesis()
    for note in workspace.vault.rglob("*.md"):
        note.unlink()
    with pytest.raises(RefusedError, match="gone at once"):
        sync(workspace)
    assert list(workspace.vault.rglob("*.md")) == []


def test_comparisons_sent_to_the_vault_are_kept_true(thesis, make_run):
    workspace = thesis()
    store = Store(workspace)
    make_run(workspace, "v2", variant="v2", matches=True, seed=3)
    add_comparison(workspace, [store.find("v1@1"), store.find("v2@1")])
    text = read(workspace, COMPARISON)
    assert "id=comparison.v1@1+v2@1 template=comparison runs=v1@1,v2@1" in text
    assert text.index("id=comparison ") < text.index("id=comparison.v1@1+v2@1")
    assert text.index("end id=comparison.v1@1+v2@1") < text.index("## Discussion")
    assert sync(workspace).written == []
    (workspace.state / "comparisons.json").unlink()
    assert sync(workspace).written == []


def test_a_comparison_that_the_chapter_shows_already_is_not_added_twice(thesis):
    workspace = thesis()
    store = Store(workspace)
    assert add_comparison(workspace, [store.find("v1"), store.find("v2")]).written == []


def test_students_place_blocks_of_their_own(thesis):
    workspace = thesis()
    note = workspace.vault / "Draft.md"
    marks = (
        "{0}<!-- thesis:begin id=results.{1} template={2} -->\n<!-- thesis:end id=results.{1} -->\n"
    )
    note.write_text(marks.format("About v2:\n\n", "v2", "performance"), encoding="utf-8")
    assert sync(workspace).written == ["Draft.md"]
    text = note.read_text(encoding="utf-8")
    assert "[[v2@1]]" in text
    assert "v1@1" not in text
    note.write_text(marks.format("", "v9", "performance"), encoding="utf-8")
    assert "did you mean" in sync(workspace).reasons[0]
    note.write_text(marks.format("", "v2", "performanse"), encoding="utf-8")
    assert "did you mean 'performance'" in sync(workspace).reasons[0]


@written_both_ways
def test_obsidians_settings_are_honoured_and_never_written(thesis, stamps):
    workspace = thesis()
    settings_file = workspace.vault / ".obsidian" / "app.json"
    settings_file.parent.mkdir()
    content = {"useMarkdownLinks": True, "attachmentFolderPath": "Pictures/of runs"}
    settings_file.write_text(json.dumps(content), encoding="utf-8")
    before = settings_file.stat().st_mtime_ns
    sync(workspace)
    assert "[v2@1](Runs/v2@1.md)" in read(workspace, PERFORMANCE)
    assert settings_file.stat().st_mtime_ns == before
    assert list((workspace.vault / "Pictures" / "of runs").glob("*.png"))
    assert "](../Pictures/of%20runs/" in read(workspace, PERFORMANCE)


def test_conflict_copies_of_synchronisers_are_left_alone(thesis):
    workspace = thesis()
    text = read(workspace, PERFORMANCE)
    names = [
        "Performance-Analysis (conflicted copy 2026-01-02).md",
        "Performance-Analysis (Ana's conflicted copy 2026-01-02).md",
        "Performance-Analysis.sync-conflict-20260102-030405-ABCDEFG.md",
    ]
    for name in names:
        (workspace.vault / "05-Results" / name).write_text(text, encoding="utf-8")
    report = sync(workspace)
    assert report.refused == []
    assert set(report.written) <= {DASHBOARD}
    assert len(report.warnings) == 3


@pytest.mark.parametrize(
    "text",
    ["a|b", "[[x]]", "%% hidden", "<%* tp.x %>", "-->", "x" * 300, "`$= dv`", "a\nb: c", "é😀"],
)
def test_hostile_text_in_a_record_is_only_text(workspace, make_run, text):
    make_run(workspace, "v1", hypothesis=text, labels=(text,), recipe={"train.optimizer": text})
    report = sync(workspace)
    assert report.refused == []
    note = read(workspace, "05-Results/Runs/v1@1.md")
    (block,) = scan(note.encode()).blocks
    rows = [line for line in block.body.decode().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {3, 4}
    for forbidden in ("%%", "<%", "-->", "`$=", "[[x"):
        assert forbidden not in block.body.decode()
    assert sync(workspace).written == []


@written_both_ways
def test_links_and_pictures_resolve(thesis):
    workspace = thesis()
    notes = {path.stem for path in workspace.vault.rglob("*.md")}
    pictures = 0
    for path in workspace.vault.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"(?<!!)\[\[([^\]|\\]+)", text):
            assert target in notes or list(workspace.vault.rglob(target))
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
            assert (path.parent / target.replace("%20", " ")).is_file()
            pictures += 1
    assert pictures >= 4


@written_both_ways
def test_a_crash_between_two_notes_is_recovered_at_the_next_sync(thesis, make_run, monkeypatch):
    workspace = thesis()
    make_run(workspace, "v2", variant="v2")
    seen = []

    def crash(name):
        seen.append(name)
        if name == "exchanged" and seen.count("exchanged") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("vault_sync.engine.file_write.step", crash)
    with pytest.raises(KeyboardInterrupt):
        sync(workspace)
    monkeypatch.undo()
    assert sync(workspace).problem is None
    assert sync(workspace).written == []
    assert list(workspace.vault.rglob(".*")) == []


@written_both_ways
def test_a_note_saved_while_syncing_is_planned_again(thesis, make_run, monkeypatch):
    workspace = thesis()
    make_run(workspace, "v2", variant="v2")
    path = workspace.vault / PERFORMANCE
    todo = [True]

    def save(name):
        if name == "compared" and todo and b"v2@2" not in path.read_bytes():
            todo.clear()
            path.write_bytes(path.read_bytes() + b"\nsaved meanwhile\n")

    monkeypatch.setattr("vault_sync.engine.file_write.step", save)
    report = sync(workspace)
    assert PERFORMANCE in report.written
    data = path.read_bytes()
    assert data.endswith(b"\nsaved meanwhile\n")
    assert b"v2@2" in data


@written_both_ways
@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_linked_folder_is_not_followed(thesis, tmp_path, make_run):
    workspace = thesis()
    results = workspace.vault / "05-Results"
    outside = tmp_path / "outside"
    results.rename(outside)
    results.symlink_to(outside, target_is_directory=True)
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    make_run(workspace, "v2", variant="v2")
    report = sync(workspace, accept_deletions=True)
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    assert "symbolic link" in " ".join(report.reasons)
