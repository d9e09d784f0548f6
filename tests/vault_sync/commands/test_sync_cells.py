"""The engine's rules, through real syncs: reports are small here, all else is as it is."""

import errno
import os
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault_sync.commands import dry_run
from vault_sync.commands.sync import sync
from vault_sync.engine.plans import Wanted, WantedBlock, WantedFile, WantedNote
from vault_sync.engine.state import Bases
from vault_sync.engine.text.markers import digest, scan, write_block

NOTE = "Results.md"
TABLE = b"| a | b |\n|:--|--:|\n| 1 | 2 |"
PADDED = b"| a   |   b |\n| :---- | ----: |\n| 1   |   2 |"
BASE = b"one\ntwo\nthree\nfour\nfive"
MINE, OTHER = BASE.replace(b"two", b"TWO"), BASE.replace(b"five", b"FIVE")

CELLS = {
    # base, disk, new: what stands there afterwards, whether it is told as a conflict
    "all the same": (b"x", b"x", b"x", b"x", False),
    "disk is new already": (b"x", b"y", b"y", b"y", False),
    "disk is new, base lost": (None, b"y", b"y", b"y", False),
    "emptied": (b"x", b"", b"y", b"y", False),
    "the student's markers": (None, b"", b"y", b"y", False),
    "disk is base": (b"x", b"x", b"y", b"y", False),
    "nothing to say any more": (b"x", b"x", b"", b"", False),
    "a table padded": (TABLE, PADDED, TABLE, PADDED, False),
    "a padded table, new text": (TABLE, PADDED, b"other", b"other", False),
    "white space": (b"a b", b"a  b ", b"c", b"c", False),
    "edited, nothing new": (b"x", b"edited", b"x", b"edited", True),
    "edited elsewhere": (BASE, MINE, OTHER, MINE, True),
    "edited, same line": (BASE, MINE, BASE.replace(b"two", b"2"), MINE, True),
    "edited, next line": (BASE, MINE, BASE.replace(b"three", b"3"), MINE, True),
    "edited, base lost": (None, b"edited", b"x", b"edited", True),
}


class Reports:
    """Stands for the composer: the vault should hold what the test says."""

    def __init__(self):
        self.wanted = Wanted()

    def __call__(self, *_, **__):
        return self

    def compose(self):
        return self.wanted

    def block(self, body):
        self.wanted = Wanted(blocks=(WantedBlock("b", "t", body),))


@pytest.fixture
def reports(monkeypatch):
    made = Reports()
    monkeypatch.setattr(dry_run, "Composer", made)
    return made


def note(base, disk, before=b"mine\n\n", after=b"\n\nmine\n", ending=b"\n"):
    sha = digest(base) if base is not None else "0" * 64
    block = write_block("b", "t", disk, {}, sha=sha, ending=ending)
    if not disk and base is None:
        block = re.sub(rb" sha=\w+", b"", block)
    return before + block + after


def put(workspace, data, base=None):
    (workspace.vault / NOTE).write_bytes(data)
    if base is not None:
        Bases(workspace.state).keep(base)


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_of_the_table(workspace, reports, stamps, name):
    base, disk, new, then, conflict = CELLS[name]
    put(workspace, note(base, disk), base)
    reports.block(new)
    before = stamps(workspace.vault)
    report = sync(workspace)
    (block,) = scan((workspace.vault / NOTE).read_bytes()).blocks
    assert block.body == then.rstrip()
    assert report.conflicts == [NOTE] * conflict
    kept = list((workspace.state / "conflicts").rglob("b.md"))
    assert [path.read_bytes() for path in kept] == [new + b"\n"] * conflict
    if conflict or then == disk:
        assert stamps(workspace.vault) == before
    middle = stamps(workspace.vault)
    assert sync(workspace).written == []
    assert stamps(workspace.vault) == middle


def test_a_clean_merge_is_written_where_it_is_asked_for(workspace, reports):
    put(workspace, note(BASE, MINE), BASE)
    reports.block(OTHER)
    assert sync(workspace, merge=True).written == [NOTE]
    (block,) = scan((workspace.vault / NOTE).read_bytes()).blocks
    assert block.body == MINE.replace(b"five", b"FIVE")
    assert sync(workspace, merge=True).problem is None
    assert sync(workspace).conflicts == []


def test_a_merge_that_is_not_clean_is_never_written(workspace, reports):
    put(workspace, note(BASE, MINE), BASE)
    reports.block(BASE.replace(b"two", b"2"))
    assert sync(workspace, merge=True).conflicts == [NOTE]


BROKEN = {
    "nested": (b"<!-- thesis:begin id=x -->\n<!-- thesis:begin id=y -->\n", 2),
    "no end": (b"x\n<!-- thesis:begin id=x template=t -->\ntext\n", 2),
    "no begin": (b"x\ny\n<!-- thesis:end id=x -->\n", 3),
    "crossed": (b"<!-- thesis:begin id=x -->\n<!-- thesis:end id=y -->\n", 2),
    "twice": (b"<!-- thesis:begin id=x -->\n<!-- thesis:end id=x -->\n" * 2, 3),
    "no id": (b"<!-- thesis:begin template=x -->\n", 1),
    "same key": (b"<!-- thesis:begin id=x id=y -->\n", 1),
    "more on the line": (b"<!-- thesis:begin id=x --> y\n", 1),
    "two in a line": (b"<!-- thesis:begin id=x --><!-- thesis:end id=x -->\n", 1),
    "never closed": (b"<!-- thesis:begin id=x\n", 1),
    "indented": (b"  <!-- thesis:begin id=x -->\n", 1),
    "swallowed": (b"x\n```\n<!-- thesis:begin id=x -->\n<!-- thesis:end id=x -->\n", 2),
}


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_markers_refuse_their_note_with_the_line_and_no_other(
    workspace, reports, name, ending
):
    data, line = BROKEN[name]
    data = data.replace(b"\n", ending)
    (workspace.vault / "Broken.md").write_bytes(data)
    put(workspace, note(b"x", b"x"))
    reports.block(b"y")
    report = sync(workspace)
    assert report.written == [NOTE]
    assert report.refused == ["Broken.md"]
    assert any(reason.startswith(f"Broken.md:{line}: ") for reason in report.reasons)
    assert (workspace.vault / "Broken.md").read_bytes() == data


def test_a_block_in_two_notes_is_refused_in_both_with_its_line(workspace, reports):
    put(workspace, note(b"x", b"x"))
    (workspace.vault / "Copy of mine.md").write_bytes(note(b"x", b"x"))
    reports.block(b"y")
    report = sync(workspace)
    assert report.refused == ["Copy of mine.md", NOTE]
    assert all(re.search(r"\.md:3: the block 'b' also stands in", one) for one in report.reasons)
    assert report.written == []


pieces = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(["é", "e\u0301", "😀", "👩‍🔬", "\u202f:", "\ufeff", "\u2028"]).map(str.encode),
    st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\n\n", b" \t\n", b"# Title\r\n", b"\x00", b"\xff"]),
)
prose = st.lists(pieces, max_size=8).map(b"".join)


def is_calm(data):
    """Neither markers nor fences: those have meaning, and tests of their own."""
    return not re.search(rb"thesis:|```|~~~|\A(\xef\xbb\xbf)?---", data)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=prose.filter(is_calm),
    after=prose.filter(is_calm),
    ending=st.sampled_from([b"\n", b"\r\n"]),
    bom=st.booleans(),
    final=st.booleans(),
)
def test_any_bytes_outside_a_block_survive_and_a_second_sync_touches_nothing(
    workspace, reports, stamps, before, after, ending, bom, final
):
    start = b"\xef\xbb\xbf" * bom + before + ending
    stop = (ending + after + b"." + ending * final) if after else b""
    put(workspace, note(b"old", b"old", start, stop, ending), b"old")
    reports.block(b"new\n\xc3\xa9 text")
    assert sync(workspace).written == [NOTE]
    data = (workspace.vault / NOTE).read_bytes()
    (block,) = scan(data).blocks
    assert block.body == b"new\n\xc3\xa9 text"
    assert data[: block.start] == start
    assert data[block.stop :] == stop
    inside = data[block.start : block.stop]
    assert re.findall(rb"\r\n|\n|\r", inside) == [ending] * 5
    seen = stamps(workspace.vault)
    report = sync(workspace)
    assert (report.written, report.unchanged, report.reasons) == ([], [NOTE], [])
    assert stamps(workspace.vault) == seen


@pytest.mark.usefixtures("both_ways")
@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
@pytest.mark.parametrize("moment", ["locked", "read", "journalled", "temporary", "compared"])
def test_a_folder_swapped_for_a_link_in_mid_run_is_never_written_through(
    workspace, reports, tmp_path, monkeypatch, moment
):
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = workspace.vault / "Chapter"
    folder.mkdir()
    (folder / "Note.md").write_bytes(note(b"x", b"x"))
    (outside / "Note.md").write_bytes(note(b"x", b"x"))
    reports.block(b"y")
    todo = [True]

    def swap(name):
        if name == moment and todo:
            todo.clear()
            folder.rename(workspace.vault / "Moved")
            folder.symlink_to(outside, target_is_directory=True)

    monkeypatch.setattr("vault_sync.engine.file_write.step", swap)
    for _ in range(2):  # without folder descriptors it is refused first, then found where it is
        sync(workspace, accept_deletions=True)
    assert [path.name for path in outside.iterdir()] == ["Note.md"]
    assert (outside / "Note.md").read_bytes() == note(b"x", b"x")
    moved = workspace.vault / "Moved"
    assert [path.name for path in moved.iterdir()] == ["Note.md"]
    assert scan((moved / "Note.md").read_bytes()).blocks[0].body == b"y"


def test_a_base_and_a_canvas_stay_deleted_and_a_picture_comes_back(workspace, reports):
    names = ("Runs.base", "Map.canvas", "p.png")
    reports.wanted = Wanted(files=tuple(WantedFile(name, b"content") for name in names))
    assert sync(workspace).written == sorted(names)
    for name in names:
        (workspace.vault / name).unlink()
    assert sync(workspace).written == ["p.png"]
    assert sync(workspace).written == []
    assert sync(workspace, recreate=True).written == ["Map.canvas", "Runs.base"]


def test_copies_of_files_owned_whole_are_left_alone(workspace, reports):
    reports.wanted = Wanted(files=(WantedFile("Runs.base", b"content"),))
    copies = ["Runs (conflict 2026-01-02).base", "Map (Copie en conflit de Ana 2026-01-02).canvas"]
    for name in copies:
        (workspace.vault / name).write_bytes(b"theirs")
    report = sync(workspace)
    assert report.written == ["Runs.base"]
    assert [warning.partition(".")[0] for warning in report.warnings] == sorted(
        name.partition(".")[0] for name in copies
    )


def test_a_deleted_note_is_made_again_only_when_asked(workspace, reports):
    skeleton = b"---\nthesis_id: n\n---\n\n" + write_block("b", "t", b"", {}) + b"\n"
    made = WantedNote("n", "New/Note.md", skeleton, (WantedBlock("b", "t", b"x"),))
    reports.wanted = Wanted(notes=(made,))
    assert sync(workspace).written == ["New/Note.md"]
    (workspace.vault / "New" / "Note.md").unlink()
    assert sync(workspace).written == []
    assert sync(workspace, recreate=True).written == ["New/Note.md"]


@pytest.fixture
def unreadable(monkeypatch):
    """Make files with these names unreadable, as a cloud's placeholders are when offline."""
    names = set()
    real = open, os.open

    def check(path):
        if str(path).rsplit("/", 1)[-1] in names:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def read(path, *arguments, **options):
        check(path)
        return real[0](path, *arguments, **options)

    def low(path, *arguments, **options):
        check(path)
        return real[1](path, *arguments, **options)

    monkeypatch.setattr("builtins.open", read)
    monkeypatch.setattr("os.open", low)
    return names


def test_what_can_not_be_read_is_refused_and_never_taken_for_gone(workspace, reports, unreadable):
    skeleton = b"---\nthesis_id: n%d\n---\n\n%s\n"
    notes = [
        WantedNote(
            f"n{number}",
            f"Note {chr(64 + number)}.md",
            skeleton % (number, write_block(f"b{number}", "t", b"", {})),
            (WantedBlock(f"b{number}", "t", b"x"),),
        )
        for number in (1, 2)
    ]
    reports.wanted = Wanted(notes=tuple(notes), files=(WantedFile("p.png", b"old"),))
    sync(workspace)
    state = (workspace.state / "vault.json").read_bytes()
    changed = [replace(one, blocks=(replace(one.blocks[0], body=b"y"),)) for one in notes]
    reports.wanted = Wanted(notes=tuple(changed), files=(WantedFile("p.png", b"new"),))
    unreadable |= {"Note A.md", "p.png"}
    report = sync(workspace)
    assert report.refused == ["Note A.md", "p.png"]
    assert all("can't be read: Input/output error" in reason for reason in report.reasons)
    assert report.written == ["Note B.md"]
    assert (workspace.state / "vault.json").read_bytes() == state
    unreadable.clear()
    assert sync(workspace).written == ["Note A.md", "p.png"]
