"""Notes and records never fight: each answer goes the way it changed, and nothing is lost."""

import frontmatter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.records.annotations import VERDICTS
from experiments.records.run import Run
from experiments.records.store import Store
from featherface.errors import NotFoundError, RefusedError
from vault_sync.commands.pull import pull
from vault_sync.commands.sync import sync
from vault_sync.commands.undo import undo
from vault_sync.run_note_fields.review import Move, decide
from vault_sync.run_note_fields.table import NOTE_FIELDS, answers_of

pytestmark = pytest.mark.usefixtures("quick_plots")

NOTE = "05-Results/Runs/v1@1.md"
STATED = "A smaller student keeps the teacher's accuracy."


@pytest.fixture
def one(workspace, make_run):
    """A workspace with one run and its note."""
    make_run(workspace, "v1")
    assert sync(workspace).problem is None
    return workspace


def edit(workspace, *pairs, path=NOTE):
    file = workspace.vault / path
    data = file.read_bytes()
    for old, new in pairs:
        assert data.count(old.encode()) == 1, old
        data = data.replace(old.encode(), new.encode())
    file.write_bytes(data)


def text(workspace, path=NOTE) -> str:
    return (workspace.vault / path).read_text(encoding="utf-8")


def said(workspace, run="v1@1"):
    return answers_of(Store(workspace).find(run))


def annotate(workspace, **changes):
    store = Store(workspace)
    store.annotate(store.find("v1@1"), **changes)


def names(moved):
    return sorted(one.answer for one in moved)


def quiet(workspace, stamps):
    """Assert that note and record are at rest: neither way has anything to do."""
    sync(workspace)
    before = stamps(workspace.vault)
    report, pulled = sync(workspace), pull(workspace)
    assert (report.written, report.warnings, report.problem) == ([], [], None)
    assert (pulled.taken, pulled.waiting, pulled.problem) == ([], [], None)
    assert stamps(workspace.vault) == before


def test_a_new_note_answers_what_is_kept(one, stamps):
    found = frontmatter.loads(text(one)).metadata
    answers = {"hypothesis": STATED, "status": "open", "notes": "", "tags": []}
    assert {key: found[key] for key in answers} == answers
    assert pull(one).taken == []
    assert not list(one.runs.rglob("*.notes.json"))
    quiet(one, stamps)


def test_what_the_note_says_is_taken_over(one, stamps):
    edit(
        one,
        (f'hypothesis: "{STATED}"', "hypothesis: Mine  # better"),
        ("status: open", "status: Réfutée"),
        ('notes: ""', "notes: |-\n  two\n  lines"),
        ("tags: []", "tags:\n  - small\n  - '#a/b'"),
        ("<!-- thesis:answer analysis -->\n", "<!-- thesis:answer analysis -->\n\nWhy *not*.\n"),
        ("thesis:answer next_steps -->\n", "thesis:answer next_steps -->\n1. Again\n"),
    )
    told = sync(one)
    (warning,) = told.warnings
    assert NOTE in warning
    assert "thesis vault pull" in warning
    done = pull(one)
    assert done.problem is None
    assert names(done.taken) == sorted(NOTE_FIELDS)
    assert said(one) == {
        "hypothesis": "Mine",
        "status": "refuted",
        "notes": "two\nlines",
        "tags": ("small", "a/b"),
        "analysis": "Why *not*.",
        "next_steps": "1. Again",
    }
    before = text(one)
    assert sync(one).written != []  # the block shows the hypothesis and the verdict
    after = text(one)
    head, tail = before.index("<!-- thesis:begin"), before.index("<!-- thesis:end")
    assert after[:head] == before[:head]
    assert after.endswith(before[tail:])
    assert "Mine" in after[head:]
    assert f"As stated before the run: {STATED}" in after
    assert "**Verdict:** refuted." in after
    quiet(one, stamps)


def test_pulling_can_only_tell(one):
    edit(one, ("status: open", "status: confirmed"))
    for _ in range(2):
        done = pull(one, dry_run=True)
        assert names(done.taken) == ["status"]
        assert (done.taken[0].note, done.taken[0].index) == ("confirmed", "open")
    assert said(one)["status"] == "open"


@pytest.mark.parametrize("line", ["status:", "status: ''", "status: null", 'status: "" # none'])
def test_an_empty_answer_clears(one, line, stamps):
    annotate(one, verdict="confirmed")
    sync(one)
    edit(one, ("status: confirmed", line))
    pull(one)
    assert said(one)["status"] == ""
    quiet(one, stamps)


def test_an_emptied_hypothesis_stays_empty(one, stamps):
    edit(one, (f'hypothesis: "{STATED}"', "hypothesis:"))
    pull(one)
    assert Store(one).find("v1").hypothesis == ""
    sync(one)
    assert "No hypothesis was stated." in text(one)
    quiet(one, stamps)


def test_a_missing_answer_says_nothing(one, stamps):
    annotate(one, verdict="confirmed", note="kept", tags=("a",), analysis="kept too")
    sync(one)
    edit(
        one,
        ("status: confirmed\n", ""),
        ("notes: kept\n", ""),
        ("tags: [a]\n", ""),
        ("<!-- thesis:answer analysis -->\n", ""),
    )
    done = pull(one)
    assert (done.taken, done.waiting, done.problem) == ([], [], None)
    answers = said(one)
    assert (answers["status"], answers["notes"], answers["analysis"]) == (
        "confirmed",
        "kept",
        "kept too",
    )
    quiet(one, stamps)


@pytest.mark.usefixtures("both_ways")
def test_what_is_newer_at_the_run_goes_into_the_note_byte_for_byte(one, stamps):
    edit(
        one,
        ("status: open", "status:   open   # mine"),
        ("tags: []", "tags:\n  - old # why\n  - stays"),
    )
    pull(one)
    before = text(one)
    annotate(one, verdict="partial", tags=("stays", "new"), analysis="Words.\n\n- é", note="x: y")
    waiting = pull(one)
    assert names(waiting.waiting) == ["analysis", "notes", "status", "tags"]
    assert sync(one).warnings == []
    after = text(one)
    expected = before
    for old, new in (
        ("status:   open   # mine", "status:   partial   # mine"),
        ("  - old # why\n  - stays\n", "  # why\n  - stays\n  - new\n"),
        ('notes: ""', 'notes: "x: y"'),
        ("thesis:answer analysis -->\n\n", "thesis:answer analysis -->\n\nWords.\n\n- é\n\n"),
    ):
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    cut = "<!-- thesis:begin"
    assert after[: after.index(cut)] == expected[: expected.index(cut)]
    end = "<!-- thesis:end"
    assert after[after.index(end) :] == expected[expected.index(end) :]
    quiet(one, stamps)


def test_the_order_of_tags_says_nothing(one, stamps):
    annotate(one, tags=("a", "b"))
    sync(one)
    edit(one, ("tags: [a, b]", "tags: [b, a]"))
    assert pull(one).taken == []
    annotate(one, tags=("c", "a", "b"))
    sync(one)
    assert "tags: [b, a, c]" in text(one)
    quiet(one, stamps)


def contradict(workspace):
    """Let note and record say different things since they last agreed."""
    annotate(workspace, verdict="confirmed", note="agreed", analysis="agreed")
    sync(workspace)
    edit(
        workspace,
        ("status: confirmed", "status: refuted"),
        ("notes: agreed", "notes: mine"),
        ("\nagreed\n", "\nmine\n"),
    )
    annotate(workspace, verdict="partial", note="other", analysis="other")


def test_what_changed_on_both_sides_is_told_and_touched_by_neither(one):
    contradict(one)
    before, kept = text(one), said(one)
    for _ in range(2):
        (warning,) = sync(one).warnings
        assert "status, notes, analysis" in warning
        done = pull(one)
        assert names(done.conflicts) == ["analysis", "notes", "status"]
        assert isinstance(done.problem, RefusedError)
        line = before.splitlines().index("status: refuted") + 1
        assert f"{NOTE}:{line}: status says 'refuted', but 'partial'" in done.problem.message
        assert "--take note|index v1@1" in done.problem.hint
        assert said(one) == kept
        head = text(one)[: text(one).index("<!-- thesis:begin")]
        assert before.startswith(head)
        assert text(one).endswith(before[before.index("## Analysis") :])


@pytest.mark.usefixtures("both_ways")
def test_the_note_may_win(one, stamps):
    contradict(one)
    done = pull(one, take="note")
    assert done.problem is None
    assert (said(one)["status"], said(one)["notes"], said(one)["analysis"]) == (
        "refuted",
        "mine",
        "mine",
    )
    quiet(one, stamps)


def test_the_index_may_win(one, stamps):
    contradict(one)
    told = pull(one, take="index", dry_run=True)
    assert names(told.written) == ["analysis", "notes", "status"]
    assert "status: refuted" in text(one)
    done = pull(one, take="index")
    assert done.problem is None
    assert "status: partial" in text(one)
    assert "notes: other" in text(one)
    assert "\nother\n" in text(one)
    quiet(one, stamps)


def test_the_same_change_on_both_sides_is_no_contradiction(one, stamps):
    edit(one, ("status: open", "status: Confirmée"))
    annotate(one, verdict="confirmed")
    done = pull(one)
    assert (done.taken, done.conflicts) == ([], [])
    sync(one)
    assert "status: Confirmée" in text(one)
    quiet(one, stamps)


def test_losing_the_memory_loses_no_words(one, stamps):
    annotate(one, verdict="confirmed", note="kept")
    sync(one)
    (one.state / "vault.json").unlink()
    quiet(one, stamps)
    edit(one, ("notes: kept", "notes: mine"))
    annotate(one, note="other")
    (one.state / "vault.json").unlink()
    assert names(pull(one).conflicts) == ["notes"]
    (one.state / "vault.json").unlink(missing_ok=True)
    annotate(one, verdict=None, note=None)
    assert names(pull(one).taken) == ["notes", "status"]  # nothing was said: the note is right


WRONG = [
    ("status: open", "status: confirmd", "status", "did you mean 'confirmed'"),
    ("status: open", "status: [open]", "status", "it is a list"),
    ("status: open", "status: {a: 1}", "status", "can't be read"),
    ("tags: []", "tags: [a, 'b c']", "tags", "can't be a tag"),
    ("tags: []", "tags: [2026]", "tags", "can't be a tag"),
    ("tags: []", "tags: {a: 1}", "tags", "can't be read"),
    ('notes: ""', "notes: [a]", "notes", "it is a list"),
    ('notes: ""', 'notes: "\\ud83d"', "notes", "half a character"),
    ('notes: ""', "notes: one\nnotes: two", "notes", "twice"),
    ("answer analysis -->", "answer analyse -->", "analyse", "did you mean 'analysis'"),
    ("<!-- thesis:answer a", "  <!-- thesis:answer a", "answer", "column 0"),
]


@pytest.mark.parametrize(("old", "new", "answer", "reason"), WRONG)
def test_what_can_not_be_taken_is_told_and_the_rest_is_taken(one, old, new, answer, reason):
    other = "hypothesis" if answer != "hypothesis" else "notes"
    edit(one, (f'hypothesis: "{STATED}"', "hypothesis: Mine"), (old, new))
    before = said(one)
    done = pull(one)
    (wrong,) = done.invalid
    assert (wrong.answer, wrong.path) == (answer, NOTE)
    assert reason in wrong.reason
    shown = text(one).splitlines()[wrong.line - 1]
    assert shown == new.splitlines()[-1] or new in shown
    assert f"{NOTE}:{wrong.line}: {answer}" in done.problem.message
    assert names(done.taken) == [other]
    assert said(one) == before | {"hypothesis": "Mine"}
    assert any(reason in warning for warning in sync(one).warnings)


def test_a_status_tells_its_choices(one):
    edit(one, ("status: open", "status: done"))
    (wrong,) = pull(one).invalid
    assert wrong.choices == tuple(VERDICTS)
    assert all(choice in wrong.reason for choice in VERDICTS)


def test_bytes_that_are_no_text_are_not_taken(one):
    file = one.vault / NOTE
    data = file.read_bytes().replace(b"answer analysis -->\n", b"answer analysis -->\n\xff\xfe\n")
    file.write_bytes(data)
    (wrong,) = pull(one).invalid
    assert wrong.answer == "analysis"
    annotate(one, analysis="newer")
    sync(one)
    assert b"\xff\xfe" in file.read_bytes()


def test_a_renamed_and_moved_note_is_found(one, stamps):
    target = one.vault / "Journal" / "mon premier essai.md"
    target.parent.mkdir()
    (one.vault / NOTE).rename(target)
    edit(one, ("status: open", "status: confirmed"), path="Journal/mon premier essai.md")
    (moved,) = pull(one).taken
    assert moved.place.startswith("Journal/mon premier essai.md:")
    assert said(one)["status"] == "confirmed"
    quiet(one, stamps)


def test_two_notes_of_one_run_are_both_refused(one):
    copy = one.vault / "copy.md"
    copy.write_text(text(one).replace("status: open", "status: refuted"), encoding="utf-8")
    done = pull(one)
    assert done.taken == []
    (reason,) = done.refused
    assert NOTE in reason
    assert "copy.md" in reason
    assert isinstance(done.problem, RefusedError)
    assert said(one)["status"] == "open"


@pytest.mark.parametrize(
    "name",
    [
        "v1@1 (conflicted copy 2026-01-01).md",
        "v1@1.sync-conflict-20260101-101010-ABCDEFG.md",
        "v1@1 (copie en conflit de moi 2026-01-01).md",
        "v1@1.orig.md",
    ],
)
def test_conflict_copies_are_never_read(one, name):
    folder = (one.vault / NOTE).parent
    other = text(one).replace("status: open", "status: refuted")
    (folder / name).write_text(other, encoding="utf-8")
    done = pull(one)
    assert (done.taken, done.refused, done.problem) == ([], [], None)


def test_a_note_of_no_run_is_told(one):
    edit(one, ("thesis_id: run/v1@1", "thesis_id: run/v9@1"))
    done = pull(one)
    assert done.problem is None
    (warning,) = done.warnings
    assert NOTE in warning


def test_a_pull_leaves_the_vault_alone(one, stamps):
    edit(one, ("status: open", "status: confirmed"))
    before = stamps(one.vault)
    pull(one)
    pull(one, take="note")
    assert stamps(one.vault) == before


def test_a_damaged_file_of_annotations_stops_only_its_run(one, make_run):
    make_run(one, "v2")
    sync(one)
    edit(one, ("status: open", "status: confirmed"))
    edit(one, ("status: open", "status: refuted"), path="05-Results/Runs/v2@1.md")
    damaged = one.runs / "v2" / "001.notes.json"
    damaged.write_text("{", encoding="utf-8")
    done = pull(one)
    assert [each.run for each in done.taken] == ["v1@1"]
    (reason,) = done.refused
    assert "001.notes.json" in reason
    assert damaged.read_text(encoding="utf-8") == "{"
    assert any("001.notes.json" in each for each in sync(one).reasons)


def test_only_the_runs_that_are_meant(one, make_run):
    make_run(one, "v2")
    sync(one)
    edit(one, ("status: open", "status: confirmed"))
    edit(one, ("status: open", "status: refuted"), path="05-Results/Runs/v2@1.md")
    assert [each.run for each in pull(one, ["v2"]).taken] == ["v2@1"]
    assert said(one)["status"] == "open"
    with pytest.raises(NotFoundError, match="v3"):
        pull(one, ["v3"])
    make_run(one, "v2", status="failed")
    (warning,) = pull(one, ["v2@2"]).warnings
    assert "v2@2 has no note" in warning


def test_another_vault_has_a_memory_of_its_own(one, tmp_path, stamps):
    other = tmp_path / "other"
    other.mkdir()
    sync(one, to=other)
    file = other / NOTE
    changed = file.read_text(encoding="utf-8").replace("status: open", "status: refuted")
    file.write_text(changed, encoding="utf-8")
    assert pull(one).taken == []
    assert names(pull(one, source=other).taken) == ["status"]
    sync(one)
    assert "status: refuted" in text(one)
    quiet(one, stamps)


def test_a_note_that_is_made_again_answers_what_is_kept(one, stamps):
    edit(one, ("answer analysis -->\n", "answer analysis -->\n\nLong.\n\n\n\n```\n# x\n```\n"))
    edit(one, ("tags: []", "tags: [a]"))
    pull(one)
    (one.vault / NOTE).unlink()
    sync(one)
    assert not (one.vault / NOTE).exists()
    sync(one, recreate=True)
    assert "Long.\n\n\n\n```\n# x\n```\n" in text(one)
    assert "tags: [a]" in text(one)
    assert said(one)["analysis"] == "Long.\n\n\n\n```\n# x\n```"
    quiet(one, stamps)


@pytest.mark.parametrize(
    "words", ["## Out of it", "```\nnever closed", "a\n<!-- thesis:end id=x -->"]
)
def test_words_that_would_leave_their_region_are_not_written(one, words):
    before = text(one)
    annotate(one, analysis=words)
    for _ in range(2):
        (warning,) = sync(one).warnings
        assert "analysis" in warning
    assert text(one) == before
    (warning,) = pull(one).warnings
    assert "by hand" in warning
    assert said(one)["analysis"] == words


def test_a_note_of_an_older_form_goes_on_working(one, stamps):
    edit(
        one,
        ("\n<!-- thesis:answer analysis -->\n", ""),
        ("\n<!-- thesis:answer next_steps -->\n", ""),
        ("tags: []\n", ""),
    )
    quiet(one, stamps)
    edit(one, ("status: open", "status: confirmed"))
    assert names(pull(one).taken) == ["status"]
    annotate(one, tags=("new",), analysis="no place")
    (warning,) = sync(one).warnings
    assert "<!-- thesis:answer analysis -->" in warning
    assert "tags: [new]" in text(one)
    edit(one, ("## Analysis\n", "## Analysis\n<!-- thesis:answer analysis -->\n"))
    assert sync(one).warnings == []
    assert "\nno place\n" in text(one)
    quiet(one, stamps)


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_a_note_with_other_bytes_around_keeps_them(one, ending, stamps):
    file = one.vault / NOTE
    data = b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", ending).rstrip(b"\r\n")
    file.write_bytes(data)
    annotate(one, analysis="First.\nSecond.", next_steps="Last.", verdict="invalid")
    sync(one)
    changed = file.read_bytes()
    assert changed.startswith(b"\xef\xbb\xbf---" + ending)
    assert b"First." + ending + b"Second." + ending in changed
    assert (b"\n" in changed.replace(b"\r\n", b"")) == (ending == b"\n")
    assert b"status: invalid" + ending in changed
    quiet(one, stamps)


@pytest.mark.usefixtures("both_ways")
def test_undoing_a_sync_lets_the_next_one_do_it_again(one):
    """What was agreed on is part of what a sync remembers, and goes back with it."""
    before = text(one)
    annotate(one, note="new")
    sync(one)
    undo(one)
    assert text(one) == before
    assert sync(one).written == [NOTE]
    assert "notes: new" in text(one)


def test_one_type_per_property_in_a_filled_vault(thesis):
    """Obsidian knows one type per name in a vault, and shows others as broken."""
    workspace = thesis()
    annotate(workspace, tags=("a",), note="2026-01-01", hypothesis="yes")
    sync(workspace)
    types = {}
    for path in sorted(workspace.vault.rglob("*.md")):
        for key, value in frontmatter.loads(path.read_text(encoding="utf-8")).metadata.items():
            types.setdefault(key, set()).add(type(value))
            assert not isinstance(value, dict), f"{path}: {key} is not flat"
            if isinstance(value, list):
                assert all(isinstance(each, str) for each in value)
    assert {key: found for key, found in types.items() if len(found) > 1} == {}
    assert set(NOTE_FIELDS) - set(types) == {"analysis", "next_steps"}


words = st.sampled_from(["", "a", "b", "c"])


@given(words, st.none() | words, words)
def test_no_answer_is_ever_overwritten_unseen(base, note, index):
    """The side that is written over says what both knew, or what the other side says."""
    move = decide(NOTE_FIELDS["notes"], base, note, index)
    if move is Move.TO_INDEX:
        assert note is not None
        assert index == base != note
    elif move is Move.TO_NOTE:
        assert note in (base, None)
        assert index != note
    elif move is Move.CONFLICT:
        assert len({base, note, index}) == 3
    else:
        assert note == index or (note is None and index == base)


def test_every_answer_has_a_field_of_its_own(workspace, make_run):
    run = make_run(workspace)
    fields = [answer.field for answer in NOTE_FIELDS.values()]
    assert len(set(fields)) == len(fields)
    assert set(fields) | {"labels"} == set(vars(Run(run.folder).annotations))
