"""A workspace is found from below, and each setting tells where it came from."""

import pytest

from experiments.workspace.workspace import Workspace
from featherface.errors import DataError, NotFoundError, UnavailableError, UsageError, unknown


def write(workspace, text):
    (workspace.root / "thesis.toml").write_text(text, encoding="utf-8")
    return Workspace.open(workspace.root)


def test_a_workspace_is_found_from_below(workspace, monkeypatch):
    assert Workspace.find(workspace.recipes).root == workspace.root
    monkeypatch.chdir(workspace.runs)
    assert Workspace.find().root == workspace.root


def test_creating_keeps_an_existing_file(workspace):
    before = (workspace.root / "thesis.toml").read_bytes()
    again = Workspace.create(workspace.root, language="fr", title="Other")
    assert (workspace.root / "thesis.toml").read_bytes() == before
    assert again.settings["title"] == "A thesis"


def test_titles_with_quotes_and_accents_survive(tmp_path):
    title = 'Détection "légère" \\ de visages'
    made = Workspace.create(tmp_path / "mémoire", language="fr", title=title)
    assert (made.settings["title"], made.language) == (title, "fr")


def test_no_workspace_says_what_to_type(tmp_path, monkeypatch):
    with pytest.raises(NotFoundError) as caught:
        Workspace.find(tmp_path)
    assert caught.value.hint == "thesis init"
    monkeypatch.setenv("THESIS_WORKSPACE", str(tmp_path / "no"))
    with pytest.raises(NotFoundError, match="holds no"):
        Workspace.find()


def test_precedence_and_origin(workspace, monkeypatch, tmp_path):
    user = tmp_path / "user.toml"
    user.write_text('author = "User"\nlanguage = "fr"\ndevice = "cpu"\n', encoding="utf-8")
    monkeypatch.setenv("THESIS_CONFIG", str(user))
    file = write(workspace, 'title = "T"\nlanguage = "en"\n')
    assert (file.language, file.settings.origin("language")) == (
        "en",
        str(workspace.root / "thesis.toml"),
    )
    assert file.settings.origin("device") == str(user)
    assert file.settings.origin("vault") == "default"
    monkeypatch.setenv("THESIS_LANGUAGE", "fr")
    assert Workspace.open(workspace.root).settings.origin("language") == "THESIS_LANGUAGE"
    flagged = Workspace.open(workspace.root, {"language": "en", "vault": None})
    assert (flagged.language, flagged.settings.origin("language")) == ("en", "flag")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('langage = "fr"', "did you mean 'language'"),
        ('language = "de"', "language is 'de'; choose from fr, en"),
        ("title = 3", "title must be text"),
        ('[chapters]\nperformence = "x"', "did you mean 'chapters.performance'"),
        ("title = ", "not valid TOML"),
        ("milestones = 3", "table of tables"),
        ("device = 'gpu'\n", "device: no device 'gpu'"),
    ],
)
def test_a_wrong_setting_names_file_key_and_choices(workspace, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        write(workspace, text)
    assert "thesis.toml" in str(caught.value)


def test_an_unwritable_place_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UnavailableError, match="can't make a workspace"):
        Workspace.create(tmp_path / "file" / "inside")


def test_data_roots(workspace, monkeypatch, tmp_path):
    opened = write(workspace, '[data]\nwiderface = "../wider"\n')
    assert opened.data_root("widerface") == (workspace.root.parent / "wider").resolve()
    assert opened.data_root("synthetic").is_relative_to(workspace.state)
    assert opened.data_root(str(tmp_path)) == tmp_path.resolve()
    with pytest.raises(DataError, match="did you mean 'widerface'"):
        opened.data_root("widerfaces")
    monkeypatch.setenv("THESIS_DATA_FACES", str(tmp_path))
    assert Workspace.open(workspace.root).data_root("faces") == tmp_path.resolve()


@pytest.mark.parametrize("name", ["no/such", r"D:\data"])
def test_a_path_that_is_no_folder_is_told_as_one(workspace, name):
    with pytest.raises(DataError) as caught:
        workspace.data_root(name)
    assert caught.value.message == f"there is no folder {(workspace.root / name).resolve()}"
    assert "correct data.root" in caught.value.hint


def test_a_backslash_is_told_as_it_was_typed():
    assert r"no variant 'a\b';" in unknown("variant", r"a\b", ["v2"])
    assert r"no variant 'a\tb';" in unknown("variant", "a\tb", ["v2"])
