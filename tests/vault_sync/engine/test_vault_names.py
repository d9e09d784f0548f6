import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.errors import RefusedError
from vault_sync.engine.disk.names import is_safe, note_path, relative, safe_name

HOSTILE = [
    "../x",
    "CON",
    "com1.txt",
    "a|b",
    "[[x]]",
    "%%",
    "<%* %>",
    "-->",
    "x" * 300,
    "a/b",
    ".hid",
    "",
    " ",
    "a.",
    "a:b",
    "é\u0301",
    "\u202e",
    "a\nb",
    "nul.",
    "AUX",
    "a\\b",
    "#a^b",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_become_names_of_one_file(text):
    name = safe_name(text)
    assert is_safe(f"folder/{name}.md")
    assert "/" not in name
    assert len(name.encode()) <= 120


@given(st.text())
def test_any_text_makes_a_safe_name(text):
    assert is_safe(f"{safe_name(text)}.md")


def test_different_texts_never_share_a_name():
    assert len({safe_name(text).lower() for text in HOSTILE}) == len(HOSTILE)
    assert safe_name("v2@1") == "v2@1"


@pytest.mark.parametrize(
    "path", ["../x", "/x", "C:/x", "a/../../x", "a//b", "", ".obsidian/app", "a/CON"]
)
def test_a_chapter_outside_the_vault_is_refused_with_its_key(path):
    with pytest.raises(RefusedError, match=r"chapters\.performance"):
        note_path(path, "chapters.performance")


def test_a_chapter_may_be_written_in_many_ways():
    assert note_path("05-Results\\Performance.md", "k") == "05-Results/Performance.md"


@pytest.mark.parametrize(
    ("target", "note", "seen"),
    [
        ("a/p.png", "a/n.md", "p.png"),
        ("a/p.png", "n.md", "a/p.png"),
        ("p.png", "a/b/n.md", "../../p.png"),
        ("a/c/p.png", "a/b/n.md", "../c/p.png"),
    ],
)
def test_paths_as_seen_from_a_note(target, note, seen):
    assert relative(target, note) == seen
