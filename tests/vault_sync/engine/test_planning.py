import dataclasses
import hashlib
import sys

import pytest

from featherface.errors import RefusedError
from vault_sync.engine.notes import Note, Snapshot
from vault_sync.engine.planning import plan
from vault_sync.engine.plans import Options, Wanted, WantedBlock, WantedFile, WantedNote
from vault_sync.engine.state import State
from vault_sync.engine.text.markers import digest, write_block

EMPTY = write_block("b", "t", b"", {})
SKELETON = b"---\nthesis_id: n\n---\n\n# Title\n\n" + EMPTY + b"\n"


def snapshot(**notes: bytes) -> Snapshot:
    found = {f"{name}.md": Note(f"{name}.md", data) for name, data in notes.items()}
    return Snapshot(found, {path.lower(): path for path in found})


def wanted(body=b"new", path="home.md", properties=None) -> Wanted:
    block = WantedBlock("b", "t", body)
    return Wanted((WantedNote("n", path, SKELETON, (block,), properties or {}),))


def decide(snap, want=None, state=None, bases=(), **options):
    kept = {digest(body): body for body in bases}
    return plan(snap, want or wanted(), state or State(), kept.get, Options(**options))


def note(body=b"old", block_id="b") -> bytes:
    return b"---\nthesis_id: n\n---\nmine\n\n" + write_block(block_id, "t", body, {}) + b"\nmine\n"


KNOWN = State(notes={"n": "home.md"}, blocks={"b": "home.md"})


@pytest.mark.parametrize("other", ["home.md", "Home.md"])
def test_two_new_notes_are_never_mixed_into_one_file(other):
    first = wanted().notes[0]
    text = SKELETON.replace(b"id: n", b"id: m") + b"\n" + write_block("c", "t", b"", {})
    second = WantedNote("m", other, text, (WantedBlock("c", "t", b"other"),))
    made = decide(snapshot(), Wanted((first, second)))
    assert [one.path for one in made.refused] == [other]
    assert "two new notes would be one file" in made.refused[0].reason
    assert [write.path for write in made.writes] == ["home.md"] * (other != "home.md")


def test_planning_touches_no_file():
    seen = []
    active = True

    def watch(event, args):
        if active and event.split(".")[0] in ("open", "os", "shutil", "subprocess", "socket"):
            seen.append((event, args))

    sys.addaudithook(watch)
    try:
        made = decide(snapshot(home=note(), other=b"x"), state=KNOWN, merge=True)
        made = decide(snapshot(), recreate=True, state=KNOWN)
    finally:
        active = False
    assert made.writes
    assert seen == []


def test_a_missing_note_is_made_from_its_skeleton():
    (write,) = decide(snapshot()).writes
    assert write.before is None
    assert write.after == SKELETON.replace(EMPTY, write_block("b", "t", b"new", {}))
    assert write.note == "n"


@pytest.mark.parametrize("state", [State(), KNOWN])
def test_a_note_that_became_a_link_is_refused_and_not_taken_for_deleted(state):
    links = dataclasses.replace(snapshot(), links=frozenset({"home.md"}))
    made = decide(links, state=state)
    assert made.writes == ()
    assert [trouble.path for trouble in made.refused] == ["home.md"]
    assert made.state.deleted == state.deleted


def test_only_the_block_of_an_existing_note_is_written():
    (write,) = decide(snapshot(home=note())).writes
    assert write.after == note(b"new")
    assert write.before == note()


def test_what_is_true_already_is_not_written():
    made = decide(snapshot(home=note(b"new")))
    assert made.writes == ()
    assert made.unchanged == ("home.md",)


def test_a_note_is_found_where_it_was_moved():
    made = decide(snapshot(elsewhere=note()), state=KNOWN)
    assert [write.path for write in made.writes] == ["elsewhere.md"]
    assert made.state.notes == {"n": "elsewhere.md"}


def test_a_block_is_found_in_the_note_it_was_moved_to():
    snap = snapshot(
        home=b"---\nthesis_id: n\n---\n", other=note().replace(b"thesis_id: n", b"x: 1")
    )
    (write,) = decide(snap, state=KNOWN).writes
    assert write.path == "other.md"


def test_a_deleted_note_stays_deleted_until_it_is_asked_for():
    made = decide(snapshot(), state=KNOWN)
    assert made.writes == ()
    assert made.state.deleted == ("n",)
    again = decide(snapshot(), state=made.state, recreate=True)
    assert [write.path for write in again.writes] == ["home.md"]
    assert again.state.deleted == ()


def test_a_deleted_block_stays_deleted_until_it_is_asked_for():
    snap = snapshot(home=b"---\nthesis_id: n\n---\nmine\n")
    assert decide(snap, state=KNOWN).writes == ()
    (write,) = decide(snap, state=KNOWN, recreate=True).writes
    assert (
        write.after
        == b"---\nthesis_id: n\n---\nmine\n\n" + write_block("b", "t", b"new", {}) + b"\n"
    )


def test_an_existing_note_is_joined_only_when_asked():
    snap = snapshot(home=b"mine, no final newline")
    made = decide(snap)
    assert made.writes == ()
    assert "<!-- thesis:begin id=b template=t -->" in made.warnings[0]
    (write,) = decide(snap, join=True).writes
    assert write.after == b"mine, no final newline\n\n" + write_block("b", "t", b"new", {}) + b"\n"


def test_the_students_own_markers_are_filled():
    data = b"a\r\n\r\n<!-- thesis:begin id=b template=t -->\r\n<!-- thesis:end id=b -->\r\n\r\nz"
    (write,) = decide(snapshot(home=data)).writes
    filled = write_block("b", "t", b"new", {}, ending=b"\r\n")
    assert write.after == b"a\r\n\r\n" + filled + b"\r\n\r\nz"


def test_an_edit_is_a_conflict_and_is_not_written():
    edited = note().replace(b"\nold\n", b"\nmine\n")
    made = decide(snapshot(home=edited), bases=[b"old"])
    assert made.writes == ()
    assert [(one.path, one.line, one.new) for one in made.conflicts] == [("home.md", 6, b"new")]


def test_an_edit_is_told_even_when_nothing_is_new_and_all_state_is_lost():
    edited = note(b"new").replace(b"\nnew\n", b"\nmine\n")
    made = decide(snapshot(home=edited))
    assert made.writes == ()
    assert len(made.conflicts) == 1


def test_a_merge_is_written_only_when_asked_and_the_edit_then_stays():
    old, new = b"1\n2\n3\n4\n5", b"1\n2\n3\n4\nFIVE"
    edited = note(old).replace(b"\n2\n", b"\nTWO\n")
    assert decide(snapshot(home=edited), wanted(new), bases=[old]).conflicts
    (write,) = decide(snapshot(home=edited), wanted(new), bases=[old], merge=True).writes
    assert b"TWO\n3\n4\nFIVE" in write.after
    after = decide(snapshot(home=write.after), wanted(new), bases=[new])
    assert (after.writes, after.conflicts) == ((), ())
    later = decide(snapshot(home=write.after), wanted(new.replace(b"1", b"one")), bases=[new])
    assert later.conflicts


def test_an_emptied_block_is_filled_again():
    data = note().replace(b"old", b"")
    (write,) = decide(snapshot(home=data)).writes
    assert write.after == note(b"new").replace(
        b"thesis:begin id=b template=t", b"thesis:begin id=b template=t"
    )


@pytest.mark.parametrize(
    "data",
    [
        note() + b"<!-- thesis:begin id=x -->\n",
        note() + write_block("b", "t", b"again", {}),
        b"```\n" + note(),
    ],
)
def test_broken_markers_refuse_their_note_and_no_other(data):
    two = Wanted(
        (*wanted().notes, WantedNote("m", "other.md", SKELETON.replace(b"id: n", b"id: m")))
    )
    made = decide(snapshot(home=data), two)
    assert [one.path for one in made.refused] == ["home.md"]
    assert made.refused[0].line
    assert [write.path for write in made.writes] == ["other.md"]


def test_a_block_in_two_notes_is_refused_in_both():
    made = decide(snapshot(home=note(), copy=note().replace(b"id: n", b"id: m")))
    assert sorted(one.path for one in made.refused) == ["copy.md", "home.md"]
    assert made.writes == ()


def test_a_copied_thesis_id_is_refused_in_both():
    made = decide(snapshot(home=b"---\nthesis_id: n\n---\n", copy=b"---\nthesis_id: n\n---\n"))
    assert sorted(one.path for one in made.refused) == ["copy.md", "home.md"]


def test_a_name_that_differs_in_case_only_is_refused():
    made = decide(snapshot(HOME=b"theirs"))
    assert made.writes == ()
    assert made.refused[0].path == "HOME.md"


def test_many_notes_gone_at_once_stop_the_sync():
    many = State(notes={str(place): f"{place}.md" for place in range(12)})
    with pytest.raises(RefusedError, match="12 of 12 notes are gone"):
        decide(snapshot(), state=many)
    assert decide(snapshot(), state=many, accept_deletions=True).writes
    few = {str(place): note().replace(b"id: n", b"id: %d" % place) for place in range(10)}
    kept = {name: data.replace(b"id=b", b"id=b" + name.encode()) for name, data in few.items()}
    decide(snapshot(**kept), state=many)


def test_properties_are_kept_up_to_date_by_the_same_rule():
    data = b"---\nthesis_id: n # c\nap: 0.5\nstatus: mine\n---\n" + write_block(
        "b", "t", b"new", {}
    )
    state = State(notes={"n": "home.md"}, properties={"n": {"ap": "0.5"}})
    (write,) = decide(snapshot(home=data), wanted(properties={"ap": 0.6, "n": 3}), state).writes
    assert write.after == data.replace(b"ap: 0.5", b"ap: 0.6").replace(b"mine\n", b"mine\nn: 3\n")
    edited = data.replace(b"ap: 0.5", b"ap: 0.9")
    made = decide(snapshot(home=edited), wanted(properties={"ap": 0.6}), state)
    assert made.writes == ()
    assert made.conflicts[0].line == 3


def test_figures_are_owned_whole_but_never_overwrite_a_change():
    want = Wanted(files=(WantedFile("a/p.png", b"new"),))
    assert [one.path for one in decide(snapshot(), want).writes] == ["a/p.png"]
    ours = State(wholes={"a/p.png": hashlib.sha256(b"old").hexdigest()})
    old = Snapshot(files={"a/p.png": "a/p.png"}, wholes={"a/p.png": b"old"})
    assert decide(old, want, ours).writes[0].before == b"old"
    assert decide(old, want).conflicts[0].path == "a/p.png"
    same = Snapshot(files={"a/p.png": "a/p.png"}, wholes={"a/p.png": b"new"})
    assert decide(same, want).unchanged == ("a/p.png",)


def test_new_blocks_follow_the_one_they_belong_to():
    want = wanted()
    extra = WantedBlock("c", "t", b"more", after="b")
    notes = (WantedNote("n", "home.md", SKELETON, (*want.notes[0].blocks, extra)),)
    (write,) = decide(snapshot(home=note(b"new")), Wanted(notes)).writes
    first, second = write_block("b", "t", b"new", {}), write_block("c", "t", b"more", {})
    assert write.after == note(b"new").replace(first, first + b"\n\n" + second + b"\n")
