"""Whatever order student and program write in, no answer goes astray; on bytes, without a vault."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.records.annotations import RunAnnotations
from vault_sync.engine.notes import Note, Snapshot
from vault_sync.run_note_fields.exchange import apply, updates_of
from vault_sync.run_note_fields.review import Move, review
from vault_sync.run_note_fields.table import NOTE_FIELDS

LINES = [
    "---",
    "thesis_id: run/v1@1",
    "# mine",
    "hypothesis: Stated.  # c",
    "code: 012",
    "status: open",
    'notes: ""',
    "tags: []",
    "---",
    "",
    "prose é",
    "",
    "## Analysis",
    "",
    "<!-- thesis:answer analysis -->",
    "",
    "## Next steps",
    "",
    "<!-- thesis:answer next_steps -->",
]
TEXTS = ["", "Stated.", "a: b", "two\nlines", "- é 😀", "'quoted' \"twice\"", "# not a comment"]
WORDS = {
    "hypothesis": TEXTS,
    "status": ["open", "confirmed", "refuted", "invalid"],
    "notes": TEXTS,
    "tags": [(), ("a",), ("a", "b"), ("b", "a"), ("c", "é")],
    "analysis": ["", "One.", "One.\n\n### Deeper\n\n- two", "```\n## code\n```"],
    "next_steps": ["", "Last.", "Last.\n\n\nReally."],
}
said = st.sampled_from(sorted(WORDS)).flatmap(
    lambda key: st.tuples(st.just(key), st.sampled_from(WORDS[key]))
)
steps = st.lists(
    st.tuples(st.sampled_from(["note", "index"]), said)
    | st.tuples(st.sampled_from(["sync", "pull", "take note", "take index"]), st.none()),
    max_size=12,
)


class Desk:
    """A run, its note, and what was last agreed on."""

    def __init__(self, ending: str) -> None:
        self.data = ending.join(LINES).encode()
        self.said = RunAnnotations()
        self.agreed = {}

    @property
    def page(self):
        run = SimpleNamespace(
            id="v1@1", record=SimpleNamespace(hypothesis="Stated."), annotations=self.said
        )
        note = Note("n.md", self.data)
        snapshot = Snapshot({"n.md": note})
        (page,) = review(snapshot, [run], {"run/v1@1": self.agreed}).run_notes
        return page

    def answers(self, side):
        def of(one):
            words = one.given.words if side == "note" else one.indexed
            return frozenset(words) if isinstance(words, tuple) else words

        return {one.note_field.key: of(one) for one in self.page.statuses}

    def write(self, side, key, words):
        """Say something on one side, as a student would."""
        if side == "index":
            self.said = RunAnnotations(**{**vars(self.said), NOTE_FIELDS[key].field: words})
            return
        page = self.page
        (one,) = [each for each in page.statuses if each.note_field.key == key]
        wanted = SimpleNamespace(note_field=one.note_field, given=one.given, indexed=words)
        exchange, blocked = updates_of(page, [wanted])
        assert blocked == {}
        self.data = apply(self.data, exchange)

    def move(self, kind):
        """Do what a sync or a pull does."""
        page = self.page
        self.agreed = dict(page.agreed)
        to_note = page.of(Move.TO_NOTE) if kind == "sync" else []
        to_index = [] if kind == "sync" else page.of(Move.TO_INDEX)
        to_index += page.of(Move.CONFLICT) if kind == "take note" else []
        to_note += page.of(Move.CONFLICT) if kind == "take index" else []
        exchange, blocked = updates_of(page, to_note)
        assert blocked == {}
        self.data = apply(self.data, exchange)
        self.agreed |= {one.note_field.key: one.indexed for one in to_note}
        for one in to_index:
            self.write("index", one.note_field.key, one.given.words)
            self.agreed[one.note_field.key] = one.given.words


def expected(base, note, index, kind):
    """What both sides say after KIND, from what they said before."""
    if note == index or base not in (note, index):
        if note == index or not kind.startswith("take"):
            return note, index
        return (note, note) if kind == "take note" else (index, index)
    if kind == "sync":
        return (index, index) if note == base else (note, index)
    return (note, note) if index == base else (note, index)


@given(steps, st.sampled_from(["\n", "\r\n"]))
def test_each_answer_goes_the_way_it_changed(steps, ending):
    desk = Desk(ending)
    base = {key: frozenset() if key == "tags" else "" for key in WORDS}
    base |= {"hypothesis": "Stated.", "status": "open"}
    for kind, what in steps:
        if what is not None:
            desk.write(kind, *what)
            continue
        note, index = desk.answers("note"), desk.answers("index")
        desk.move(kind)
        after = {key: expected(base[key], note[key], index[key], kind) for key in WORDS}
        assert desk.answers("note") == {key: both[0] for key, both in after.items()}
        assert desk.answers("index") == {key: both[1] for key, both in after.items()}
        base |= {key: both[0] for key, both in after.items() if both[0] == both[1]}
    for kept in ("# mine", "  # c", "code: 012", "prose é"):
        assert kept.encode() in desk.data
    assert (b"\n" in desk.data.replace(b"\r\n", b"")) == (ending == "\n")


@given(steps, st.sampled_from(["note", "index"]))
def test_once_someone_decided_all_is_at_rest(steps, winner):
    desk = Desk("\n")
    for kind, what in steps:
        desk.move(kind) if what is None else desk.write(kind, *what)
    for kind in (f"take {winner}", "sync", "pull"):
        desk.move(kind)
    before = desk.data, desk.said
    assert desk.answers("note") == desk.answers("index")
    for kind in ("sync", "pull", "sync"):
        desk.move(kind)
        assert (desk.data, desk.said) == before


@pytest.mark.parametrize("key", sorted(WORDS))
def test_every_answer_is_tried(key):
    assert key in NOTE_FIELDS
    assert set(WORDS) == set(NOTE_FIELDS)
