"""Letters and spaces as each language sets them."""

from __future__ import annotations

import pytest

from vault_sync.export.reading.pandoc_ast import block, plain, words
from vault_sync.export.typography import quote, typeset


def french(text, language="fr"):
    row = quote(language)([block("Para", words(text))])[0]["c"]
    return plain(typeset(language)(row)).replace("\u202f", "_")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Voici : trois ; mots ! oui ?", "Voici_: trois_; mots_! oui_?"),
        ("82,5 % et 10:30", "82,5_% et 10:30"),
        ("« mot »", "«_mot_»"),
        ("a %% b", "a %% b"),
        ('un "mot" ici', "un «_mot_» ici"),
        ("l'état d'un", "l’état d’un"),
        ("et puis...", "et puis…"),
        ("(oui ?)", "(oui_?)"),
        ('un " seul', 'un " seul'),
        ("0--Parade -- fin", "0--Parade – fin"),
    ],
)
def test_french(text, made):
    assert french(text) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [('a "word" here', "a “word” here"), ("it's 82.5 %", "it’s 82.5 %"), ("why : so", "why : so")],
)
def test_english(text, made):
    assert french(text, "en") == made


def test_code_stays():
    code = [{"t": "Code", "c": [["", [], []], "a ? 'b' : \"c\""]}]
    assert typeset("fr")(code) == code
