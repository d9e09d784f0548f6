"""The tables [document] and [export] of thesis.toml: what they hold, and how errors are told."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.workspace import document_values
from experiments.workspace.document_settings import KEYS
from experiments.workspace.settings import read_settings
from featherface.errors import UsageError


@pytest.fixture
def settings(tmp_path):
    """Return what reads the settings of a thesis.toml that holds TEXT."""

    def read(text):
        file = tmp_path / "thesis.toml"
        file.write_text(text, encoding="utf-8")
        return read_settings(file)

    return read


def test_what_is_not_said_is_empty(settings):
    values = settings("")
    for key, entry in KEYS.items():
        assert not values[key] or key == "export.lists"
        assert values[key] == entry.default
        assert values.origin(key) == "default"


def test_values_are_read_as_the_program_uses_them(settings):
    values = settings(
        """
[document]
degree = "Mémoire"
defence = 2026-06-05
deposit = "2026-05"
supervisors = "A. Martin, Lyon, France"
jury = [{ name = "B", role = "Chair" }, "C"]
keywords = "one"
mots_cles = ["un", " deux ", ""]
[export]
exclude = ["Drafts/**"]
lists = ["figures"]
[export.parts]
First = ["01-*", "02-*"]
Second = "03-*"
"""
    )
    assert values["document.degree"] == "master"
    assert values["document.defence"] == "2026-06-05"
    assert values["document.deposit"] == "2026-05"
    (supervisor,) = values["document.supervisors"]
    assert supervisor == {"name": "A. Martin", "role": "", "affiliation": "Lyon, France"}
    assert [person["role"] for person in values["document.jury"]] == ["Chair", ""]
    assert values["document.keywords"] == ("one",)
    assert values["document.mots_cles"] == ("un", "deux")
    assert values["export.parts"] == {"First": ("01-*", "02-*"), "Second": ("03-*",)}


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ('[document]\ninstituton = "X"', "did you mean 'document.institution'", "correct"),
        ("[document]\njury = 3", "document.jury must be a list of names", "name ="),
        ('[document]\njury = [{ nom = "X" }]', "did you mean 'name'", "role ="),
        ('[document]\njury = [{ role = "X" }]', "must give each person a name", "name ="),
        ('[document]\ndegree = "mastre"', "did you mean 'master'", '"master"'),
        ('[document]\ndefence = "30 June"', "as year-month-day, not '30 June'", "2026-06-30"),
        ('[document]\ndefence = "2026-02-30"', "a day that there is", "2026-06-30"),
        ("[document]\nsubtitle = 3", "document.subtitle must be text in quotes, not 3", "subtitle"),
        ("[export]\norder = [1]", "export.order must be text, or a list of texts", "order ="),
        ('[export]\nparts = "x"', "a table of titles, each with its chapters", "parts ="),
        ('[export]\nlists = ["figure"]', "did you mean 'figures'", "lists ="),
        ('[export]\ncsl = "C:\\new.csl"', "with a control character", "'C:\\new.csl'"),
    ],
)
def test_errors_name_the_file_the_key_and_what_to_write(settings, text, told, hint):
    with pytest.raises(UsageError) as caught:
        settings(text)
    assert "thesis.toml" in str(caught.value)
    assert told in str(caught.value)
    assert hint in caught.value.hint


def test_the_environment_may_set_them(settings, monkeypatch):
    monkeypatch.setenv("THESIS_DOCUMENT_KEYWORDS", "from outside")
    assert settings('[document]\nkeywords = ["x"]')["document.keywords"] == ("from outside",)


def test_every_key_says_what_it_is_and_takes_its_own_example(settings):
    for key, entry in KEYS.items():
        table, _, name = key.partition(".")
        assert entry.about
        settings(f"[{table}]\n{name} = {entry.example}") if key != "export.parts" else None


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_days_are_read_from_dates_and_from_texts_alike(day):
    assert document_values.read_day(day) == day.isoformat()
    assert document_values.read_day(day.isoformat()) == day.isoformat()


@given(st.text())
def test_a_text_is_a_day_or_is_refused(text):
    try:
        read = document_values.read_day(text)
    except ValueError:
        return
    assert read == text.strip()
    assert read == "" or read[:4].isdigit()
