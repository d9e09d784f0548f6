"""A French vault is French: nothing that the program wrote there is an English sentence."""

import json
import tomllib
from importlib import resources
from pathlib import Path

import pytest
import yaml
from stand_ins.english import english_sentences

from experiments.wording import catalogue
from experiments.wording.packaged import translate
from experiments.workspace.workspace import Workspace
from vault_sync.content.catalogue import show

OWN = ("A smaller student keeps the teacher's accuracy.", "The v1 experiment", "The v2 experiment")
"""Words of the student's, with which `fill` makes the runs of the shared workspace."""
NAMES_ALONE = {"ECA-CBAM"}
"""Titles that are the same in both languages."""


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("The loss is smaller than it was.", 1),
        ("`the code of it` et [[the note of it]]", 0),
        ("| la perte | the loss of the run |", 1),
        ("Une phrase française, avec des mots comme « ground truth ».", 0),
    ],
)
def test_english_is_told_from_french(sentence, found):
    assert len(english_sentences(sentence)) == found


def test_no_english_sentence_stands_in_a_filled_vault(synced):
    vault = synced("fr").vault
    files = [path for path in sorted(vault.rglob("*")) if path.suffix in (".md", ".base")]
    assert len(files) > 15
    found = {path.name: english_sentences(path.read_text(encoding="utf-8"), OWN) for path in files}
    cards = json.loads((vault / "Thesis-Map.canvas").read_text(encoding="utf-8"))["nodes"]
    found["canvas"] = english_sentences("\n".join(card.get("text", "") for card in cards), OWN)
    assert {name: said for name, said in found.items() if said} == {}


def test_no_french_phrase_is_english():
    phrases = catalogue.phrases("fr")
    assert {key: text for key, text in phrases.items() if english_sentences(text)} == {}


def test_no_french_template_is_english():
    folder = Path(str(resources.files("templates") / "fr"))
    files = [path for path in folder.rglob("*.jinja") if "package" not in path.parts]
    assert len(files) > 30
    found = {path.name: english_sentences(path.read_text(encoding="utf-8")) for path in files}
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("file", "english", "french"),
    [("milestones", "title", "titre"), ("cited", "remark", "remarque")],
)
def test_packaged_facts_have_their_words_in_both_languages(file, english, french):
    text = (resources.files("experiments") / "facts" / f"{file}.toml").read_text("utf-8")
    entries = list(_entries(tomllib.loads(text), english))
    assert len(entries) > 3
    assert [entry[english] for entry in entries if french not in entry] == []
    assert [entry[french] for entry in entries if english_sentences(entry[french])] == []


def _entries(value, key):
    """Yield the tables within VALUE that have KEY."""
    if isinstance(value, dict):
        if key in value:
            yield value
        for part in value.values():
            yield from _entries(part, key)


def _recipe_texts():
    folder = Path(str(resources.files("experiments") / "recipes"))
    for path in sorted(folder.rglob("*.yaml")):
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        yield from (str(recipe[key]) for key in ("title", "hypothesis") if recipe.get(key))


def test_titles_and_hypotheses_of_packaged_recipes_are_said_in_french():
    texts = set(_recipe_texts()) - NAMES_ALONE
    assert len(texts) > 40
    assert [text for text in sorted(texts) if translate(text, "fr") == text] == []
    assert [text for text in texts if english_sentences(translate(text, "fr"))] == []
    assert all(translate(text, "en") == " ".join(text.split()) for text in texts)


@pytest.mark.parametrize(
    ("text", "french"),
    [
        (
            (
                "1,024 of 3,226 pictures of 'val' are trained on: what is measured on them is no "
                "evidence for a claim"
            ),
            "1\u202f024 des 3\u202f226 images de «\u202fval\u202f» ont servi à l'apprentissage",
        ),
        ("export was left out: no disk", "l'étape export a été omise\u202f: no disk"),
        ("v2-ultra with scale_fusion false", "v2-ultra avec scale_fusion false"),
        ("My network with a trick that helps", "My network with a trick that helps"),
    ],
)
def test_recorded_texts_of_the_program_are_translated_and_others_are_kept(text, french):
    assert translate(text, "fr").startswith(french)
    assert translate(text, "en") == text


def test_the_note_of_a_packaged_recipe_is_french(tmp_path, make_run):
    workspace = Workspace.create(tmp_path / "thesis", language="fr")
    workspace.vault.mkdir()
    stated = "A student of 256K parameters, distilled from V1, keeps its accuracy on small faces."
    make_run(workspace, "v2", variant="v2", hypothesis=stated)
    text = show(workspace, "run.v2@1", {}).text
    assert "Un élève de 256 k paramètres" in text
    assert stated not in text
