"""Sentences that reports and plots share, in English and French."""

from __future__ import annotations

from experiments.numbers import format_number

SENTENCES: dict[str, tuple[str, str]] = {
    "no-run": ("there is no finished run {run}", "il n'y a pas d'exécution terminée {run}"),
    "unsealed": ("{run} is not finished", "{run} n'est pas terminée"),
    "changed": (
        "the sealed record of {run} was changed afterwards",
        "l'enregistrement scellé de {run} a été modifié après coup",
    ),
    "no-metric": ("{run} has not measured {metric}", "{run} n'a pas mesuré {metric}"),
    "evidence": (
        "{metric} of {run} is {evidence}, not measured",
        "{metric} de {run} n'est pas une mesure ({evidence})",
    ),
    "dataset": (
        "{run} was evaluated on {dataset} images, not on {wanted}",
        "{run} a été évaluée sur des images {dataset}, et non sur {wanted}",
    ),
    "partial": (
        "{run} was evaluated on {n} of {whole} images, not a {wanted} result",
        "{run} a été évaluée sur {n} images sur {whole} : ce n'est pas un résultat {wanted}",
    ),
    "partial-unknown": (
        "{run} was evaluated on {n} images only, not a {wanted} result",
        "{run} n'a été évaluée que sur {n} images : ce n'est pas un résultat {wanted}",
    ),
    "protocol": (
        "{run} was evaluated by the protocol {protocol}, not {wanted}",
        "{run} a été évaluée selon le protocole {protocol}, et non {wanted}",
    ),
    "shortfall": (
        "{left} is not {sign} {right}",
        "{left} n'est pas {sign} {right}",
    ),
    "negation": ("{claim} holds", "{claim} est vrai"),
    "stale": ("{run}: {what} changed since", "{run} : {what} a changé depuis"),
}

NOUNS: dict[str, tuple[str, str]] = {
    "recipe": ("the recipe", "la recette"),
    "data": ("the data", "le jeu de données"),
    "code": ("the code", "le code"),
    "widerface": ("WIDER FACE", "WIDER FACE"),
    "synthetic": ("synthetic", "synthétiques"),
}


def say(code: str, language: str, **values: object) -> str:
    """Return the sentence CODE in LANGUAGE, its numbers and nouns worded for it."""
    pattern = SENTENCES[code][language == "fr"]
    return pattern.format(**{key: _word(value, language) for key, value in values.items()})


def _word(value: object, language: str) -> str:
    if isinstance(value, str):
        return NOUNS[value][language == "fr"] if value in NOUNS else value
    if isinstance(value, int):
        return format_number(value, ",", language)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) >= 1000
        return format_number(value, ",.0f" if whole else ".4g", language)
    return str(value)
