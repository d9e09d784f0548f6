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
    "mixed-dataset": (
        "{one} was evaluated on {first}, {other} on {second}: the values can't be compared",
        "{one} a été évaluée sur {first}, {other} sur {second} : valeurs incomparables",
    ),
    "mixed-split": (
        "{one} was evaluated on the split {first}, {other} on {second}",
        "{one} a été évaluée sur la partie {first}, {other} sur {second}",
    ),
    "mixed-protocol": (
        "{one} was evaluated by the protocol {first}, {other} by {second}",
        "{one} a été évaluée selon le protocole {first}, {other} selon {second}",
    ),
    "mixed-complete": (
        "only one of {one} and {other} was evaluated on the whole split",
        "seule l'une des exécutions {one} et {other} a été évaluée sur toute la partie",
    ),
    "mixed-images": (
        "{one} was evaluated on {first} images, {other} on {second}",
        "{one} a été évaluée sur {first} images, {other} sur {second}",
    ),
    "mixed-fingerprint": (
        "{one} and {other} were evaluated on different versions of the data",
        "{one} et {other} ont été évaluées sur des versions différentes des données",
    ),
    "data-synthetic": (
        "Synthetic images, split {split}, {n} images, protocol {protocol}: not a WIDER FACE result",
        (
            "Images synthétiques, partie {split}, {n} images, protocole {protocol} : "
            "ce n'est pas un résultat WIDER FACE"
        ),
    ),
    "data-partial": (
        "{n} images, not a WIDER FACE result (part of the split {split}, protocol {protocol})",
        "{n} images : ce n'est pas un résultat WIDER FACE (partie {split}, protocole {protocol})",
    ),
    "data-whole": (
        "{dataset}, split {split}, {n} images, protocol {protocol}",
        "{dataset}, partie {split}, {n} images, protocole {protocol}",
    ),
    "timed": ("Latency: {setting}", "Latence : {setting}"),
    "timed-differently": (
        "Latencies were taken in different settings, so no difference is given: {settings}",
        (
            "Les latences ont été mesurées dans des conditions différentes, d'où l'absence "
            "d'écart : {settings}"
        ),
    ),
    "setting": (
        "{metric} of {run} was taken at {protocol}; the claim asks for {wanted}",
        "{metric} de {run} a été mesurée à {protocol} ; l'affirmation demande {wanted}",
    ),
    "machines": (
        "Latencies were taken on different machines",
        "Les latences ont été mesurées sur des machines différentes",
    ),
    "chance": (
        (
            "Brackets: 95% percentile intervals over {resamples} paired resamples of the {n} "
            "images (seed {seed}); * the interval of the difference excludes zero. "
            "They say nothing of training seeds."
        ),
        (
            "Entre crochets : intervalles percentiles à 95\u00a0% sur {resamples} "
            "rééchantillonnages appariés des {n} images (graine {seed}) ; * l'intervalle de la "
            "différence exclut zéro. Ils ne disent rien des graines d'apprentissage."
        ),
    ),
    "plot-epoch": ("epoch", "époque"),
    "plot-loss-axis": ("loss (mean over the epoch)", "perte (moyenne sur l'époque)"),
    "plot-loss-title": ("Training of {run}", "Apprentissage de {run}"),
    "plot-loss": ("total", "totale"),
    "plot-box": ("boxes", "boîtes"),
    "plot-face": ("face or background", "visage ou fond"),
    "plot-landmark": ("landmarks", "points du visage"),
    "plot-truth": ("annotations", "annotations"),
    "plot-taught": ("teacher", "enseignant"),
    "plot-mean": ("mean", "moyenne"),
    "plot-ap-axis": ("AP on the validation split", "AP sur la partie de validation"),
    "plot-ap-title": ("Validation", "Validation"),
    "plot-recall": ("recall", "rappel"),
    "plot-precision": ("precision", "précision"),
    "plot-parameters": ("parameters (log scale)", "paramètres (échelle logarithmique)"),
    "plot-parts": ("parameters", "paramètres"),
    "plot-points": ("difference, points (pt)", "écart, en points (pt)"),
    "plot-size-title": ("{metric} against size", "{metric} selon la taille"),
    "plot-measured": ("measured here", "mesuré ici"),
    "plot-cited": ("published", "publié"),
    "plot-target": ("goal", "objectif"),
    "plot-context": (
        "{dataset}, split {split}, protocol {protocol}",
        "{dataset}, partie {split}, protocole {protocol}",
    ),
    "metric": ("Metric", "Mesure"),
    "comparison-of": ("Comparison of {runs}", "Comparaison de {runs}"),
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
