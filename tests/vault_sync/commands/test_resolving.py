import json

import pytest

from experiments.workspace.settings import CHAPTERS
from featherface.errors import NotFoundError, UsageError
from vault_sync.commands.resolve import Side, decide
from vault_sync.commands.sync import sync
from vault_sync.commands.undo import undo
from vault_sync.engine.text.markers import scan, write_block

pytestmark = pytest.mark.usefixtures("quick_plots")
written_both_ways = pytest.mark.usefixtures("both_ways")

PERFORMANCE = f"{CHAPTERS['performance']}.md"
RUN = "05-Results/Runs/v2@1.md"


def change(workspace, path, old, new):
    file = workspace.vault / path
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, 1))


def kept(workspace):
    return sorted((workspace.state / "conflicts").rglob("*.md"))


@pytest.fixture
def edited(thesis):
    """A workspace whose performance chapter was edited inside its block."""
    workspace = thesis()
    change(workspace, PERFORMANCE, b"64.0%", b"99.9%")
    assert sync(workspace).conflicts == [PERFORMANCE]
    assert kept(workspace)
    return workspace


@pytest.mark.parametrize(
    "address",
    [
        PERFORMANCE,
        f"{PERFORMANCE}#results",
        "05-Results/Performance-Analysis#results",
        "Performance-Analysis",
        "Performance-Analysis.md#results",
    ],
)
def test_my_version_stays_until_the_numbers_change(edited, make_run, address):
    mine = (edited.vault / PERFORMANCE).read_bytes()
    done = decide(edited, Side.MINE, [address])
    assert (done.decided, done.left) == ([f"{PERFORMANCE}#results"], [])
    assert kept(edited) == []
    report = sync(edited)
    assert report.problem is None
    text = (edited.vault / PERFORMANCE).read_bytes()
    assert scan(text).blocks[0].body == scan(mine).blocks[0].body
    assert b"99.9%" in text
    assert sync(edited).written == []
    make_run(edited, "v2", variant="v2", matches=True)
    assert sync(edited).conflicts == [PERFORMANCE]


@written_both_ways
def test_the_new_version_replaces_mine_and_can_be_undone(edited):
    mine = (edited.vault / PERFORMANCE).read_bytes()
    done = decide(edited, Side.NEW, ["Performance-Analysis#results"])
    assert done.written == [PERFORMANCE]
    assert kept(edited) == []
    assert b"64.0%" in (edited.vault / PERFORMANCE).read_bytes()
    assert sync(edited, dry_run=True).problem is None
    undo(edited)
    assert (edited.vault / PERFORMANCE).read_bytes() == mine
    assert sync(edited).conflicts == [PERFORMANCE]


@written_both_ways
def test_an_adopted_block_is_prose_and_never_comes_back(edited, make_run):
    before = (edited.vault / PERFORMANCE).read_bytes()
    (block,) = scan(before).blocks
    done = decide(edited, Side.PROSE, [f"{PERFORMANCE}#results"])
    assert done.written == [PERFORMANCE]
    assert kept(edited) == []
    text = (edited.vault / PERFORMANCE).read_bytes()
    assert text == before[: block.start] + block.body + before[block.stop :]
    make_run(edited, "v2", variant="v2", matches=True)
    for choices in ({}, {"recreate": True}, {"join": True}):
        report = sync(edited, **choices)
        assert report.conflicts == []
        assert (edited.vault / PERFORMANCE).read_bytes() == text


@written_both_ways
def test_an_adopted_block_comes_back_by_undo_by_its_markers_or_when_asked(thesis):
    workspace = thesis()
    path = workspace.vault / PERFORMANCE
    before = path.read_bytes()
    decide(workspace, Side.PROSE, [f"{PERFORMANCE}#results"])
    undo(workspace)
    assert path.read_bytes() == before
    assert sync(workspace).written == []
    decide(workspace, Side.PROSE, [f"{PERFORMANCE}#results"])
    path.write_bytes(path.read_bytes() + b"\n" + write_block("results", "performance", b"", {}))
    assert PERFORMANCE in sync(workspace).written
    decide(workspace, Side.PROSE, [f"{PERFORMANCE}#results"])
    assert decide(workspace, Side.NEW, [f"{PERFORMANCE}#results"]).written == [PERFORMANCE]
    assert scan(path.read_bytes()).blocks[0].body
    assert PERFORMANCE not in sync(workspace).written


def test_windows_line_endings_of_an_adopted_block_stay(thesis):
    workspace = thesis()
    path = workspace.vault / PERFORMANCE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    decide(workspace, Side.PROSE, [f"{PERFORMANCE}#results"])
    data = path.read_bytes()
    assert b"thesis:" not in data
    assert data.count(b"\n") == data.count(b"\r\n")


@pytest.mark.parametrize("side", [Side.MINE, Side.PROSE])
def test_a_property_may_stay_mine(thesis, side):
    workspace = thesis()
    change(workspace, RUN, b"\nmean_ap: 0.64", b"\nmean_ap: 0.7")
    report = sync(workspace)
    assert list(report.disputes) == [f"{RUN}#mean_ap"]
    before = (workspace.vault / RUN).read_bytes()
    done = decide(workspace, side, [f"{RUN}#mean_ap"])
    assert (done.decided, done.written) == ([f"{RUN}#mean_ap"], [])
    assert sync(workspace).problem is None
    assert (workspace.vault / RUN).read_bytes() == before
    undo(workspace)
    assert sync(workspace).conflicts == [RUN]


def test_a_property_may_be_written_anew_even_after_it_stayed(thesis):
    workspace = thesis()
    change(workspace, RUN, b"\nmean_ap: 0.64", b"\nmean_ap: 0.7")
    decide(workspace, Side.MINE, [RUN])
    decide(workspace, Side.NEW, ["v2@1#mean_ap"])
    assert b"\nmean_ap: 0.64" in (workspace.vault / RUN).read_bytes()
    assert sync(workspace).problem is None


@written_both_ways
@pytest.mark.parametrize(
    ("side", "stays"), [(Side.MINE, True), (Side.PROSE, True), (Side.NEW, False)]
)
def test_a_picture_may_stay_mine_or_be_drawn_anew(thesis, side, stays):
    workspace = thesis()
    picture = next((workspace.vault / "attachments").glob("*.png"))
    path = picture.relative_to(workspace.vault).as_posix()
    drawn = picture.read_bytes()
    picture.write_bytes(b"mine")
    assert sync(workspace).conflicts == [path]
    (copy,) = (workspace.state / "conflicts").rglob("new.png")
    assert copy.read_bytes() == drawn
    done = decide(workspace, side, [path])
    assert done.decided == [path]
    assert picture.read_bytes() == (b"mine" if stays else drawn)
    assert list((workspace.state / "conflicts").rglob("new.png")) == []
    assert sync(workspace).problem is None
    undo(workspace)
    assert picture.read_bytes() == b"mine"
    assert sync(workspace).conflicts == [path]


@written_both_ways
def test_everything_at_once(edited):
    change(edited, RUN, b"\nmean_ap: 0.64", b"\nmean_ap: 0.7")
    done = decide(edited, Side.NEW, [], everything=True)
    assert sorted(done.decided) == [f"{PERFORMANCE}#results", f"{RUN}#mean_ap"]
    assert sync(edited).problem is None
    assert decide(edited, Side.NEW, [], everything=True).decided == []


def test_what_is_not_named_stays_in_conflict(edited):
    change(edited, RUN, b"\nmean_ap: 0.64", b"\nmean_ap: 0.7")
    done = decide(edited, Side.MINE, [PERFORMANCE])
    assert done.left == [f"{RUN}#mean_ap"]
    assert sync(edited).conflicts == [RUN]


@written_both_ways
def test_one_deleted_block_or_note_is_made_again(thesis):
    workspace = thesis()
    path = workspace.vault / PERFORMANCE
    (block,) = scan(path.read_bytes()).blocks
    data = path.read_bytes()
    path.write_bytes(data[: block.start] + data[block.stop :])
    (workspace.vault / RUN).unlink()
    assert PERFORMANCE not in sync(workspace).written
    assert decide(workspace, Side.NEW, [f"{PERFORMANCE}#results"]).written == [PERFORMANCE]
    assert not (workspace.vault / RUN).exists()
    assert decide(workspace, Side.NEW, [RUN]).written == [RUN]
    assert (workspace.vault / RUN).exists()
    assert sync(workspace).problem is None
    assert (workspace.vault / RUN).exists()


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("Performance-Analyse", NotFoundError, "did you mean 'Performance-Analysis.md'"),
        (f"{PERFORMANCE}#resultz", NotFoundError, "did you mean 'results'"),
        ("05-Results/Milestones", UsageError, "holds no conflict"),
        ("../thesis", NotFoundError, "no note"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(thesis, address, error, words):
    with pytest.raises(error, match=words):
        decide(thesis(), Side.MINE, [address])


def test_nothing_named_is_told(thesis):
    with pytest.raises(UsageError, match="--all"):
        decide(thesis(), Side.MINE, [])


def test_the_memory_of_a_decision_is_plain_json(edited):
    decide(edited, Side.PROSE, [f"{PERFORMANCE}#results"])
    memory = json.loads((edited.state / "vault.json").read_text(encoding="utf-8"))
    assert memory["adopted"] == {"results": PERFORMANCE}
