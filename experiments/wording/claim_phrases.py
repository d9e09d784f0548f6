"""What is said of claims: why one fails, is stale or can't be judged, and what to do next."""

from __future__ import annotations

CLAIMS: dict[str, tuple[str, str]] = {
    "no-run": ("there is no finished run {run}", "il n'y a pas d'exécution terminée {run}"),
    "unsealed": ("{run} is not finished", "{run} n'est pas terminée"),
    "changed": (
        "the sealed record of {run} was changed afterwards",
        "l'enregistrement scellé de {run} a été modifié après coup",
    ),
    "line-ends": (
        "only line ends differ in the sealed record of {run}, as git converts them",
        "l'enregistrement scellé de {run} ne diffère que par ses fins de ligne, que git convertit",
    ),
    "no-metric": ("{run} has not measured {metric}", "{run} n'a pas mesuré {metric}"),
    "not-cited": (
        "the published result {run} gives no {metric}",
        "le résultat publié {run} ne donne pas {metric}",
    ),
    "evidence": (
        "{metric} of {run} is {evidence}; the claim asks for what is {wanted}",
        "{metric} de {run} est {evidence} ; l'affirmation demande une valeur {wanted}",
    ),
    "dataset": (
        "{run} was evaluated on {dataset} images, not on {wanted}",
        "{run} a été évaluée sur des images {dataset}, et non sur {wanted}",
    ),
    "partial": (
        "{run} was evaluated on {n} of {whole} images, not a {wanted} result",
        "{run} a été évaluée sur {n} images sur {whole} : ce n'est pas un résultat {wanted}",
    ),
    "protocol": (
        "{run} was evaluated by the protocol {protocol}, not {wanted}",
        "{run} a été évaluée selon le protocole {protocol}, et non {wanted}",
    ),
    "setting": (
        "{metric} of {run} was taken at {protocol}; the claim asks for {wanted}",
        "{metric} de {run} a été mesurée à {protocol} ; l'affirmation demande {wanted}",
    ),
    "undefined": ("{claim} divides by zero", "{claim} divise par zéro"),
    "shortfall": (
        "{what}: {left}, which is not {sign}\u00a0{right}",
        "{what} : {left}, au lieu de {sign}\u00a0{right}",
    ),
    "negation": ("{claim} holds", "{claim} est vrai"),
    "margin-pass": (
        (
            "{what}: {left} passes, but the lower bound does not"
            " (the margin to {right} is {margin}, 95% interval {low} to {high})"
        ),
        (
            "{what} : {left} suffit, mais pas la borne basse (la marge par rapport à {right}"
            " est de {margin}, intervalle à 95\u00a0% de {low} à {high})"
        ),
    ),
    "margin-fail": (
        (
            "{what}: {left}, which is not {sign}\u00a0{right}, but the upper bound would pass"
            " (the margin is {margin}, 95% interval {low} to {high})"
        ),
        (
            "{what} : {left}, au lieu de {sign}\u00a0{right}, mais la borne haute suffirait"
            " (la marge est de {margin}, intervalle à 95\u00a0% de {low} à {high})"
        ),
    ),
    "change": ("{change}", "{change}"),
    "stale": (
        "{run}: {what} since (its record does not say where)",
        "{run} : {what} depuis (son enregistrement ne dit pas où)",
    ),
    "stale-in": ("{run}: {what} since ({details})", "{run} : {what} depuis ({details})"),
    "stale-parent": (
        "{run} was made from {details}, {role}, so it is stale too",
        "{run} provient de {details}, {role}, et n'est donc plus à jour non plus",
    ),
    "stale-held": (
        "the claim held when it was measured",
        "l'affirmation était vraie lors de la mesure",
    ),
    "stale-failed": (
        "the claim did not hold when it was measured",
        "l'affirmation était fausse lors de la mesure",
    ),
    "and-more": ("{shown} and {n} more", "{shown} et {n} de plus"),
    "step": ("{command}", "{command}"),
    "step-gpu": ("on a machine with a GPU: {command}", "sur une machine avec GPU : {command}"),
    "step-recipe": (
        "write experiments/{name}.yaml, then: {command}",
        "écrire experiments/{name}.yaml, puis : {command}",
    ),
    "step-data": (
        (
            'name the folder of {dataset} in thesis.toml (under [data]: {key} "FOLDER"),'
            " then: {command}"
        ),
        (
            "indiquer le dossier de {dataset} dans thesis.toml"
            ' (sous [data] : {key} "DOSSIER"), puis : {command}'
        ),
    ),
    "step-evidence": (
        "to accept it: evidence = [{kinds}] under [milestones.{milestone}] in thesis.toml",
        "pour l'accepter : evidence = [{kinds}] sous [milestones.{milestone}] dans thesis.toml",
    ),
    "step-fresh": (
        "{fresh} is up to date but is not {selector}: a claim about {name} would speak of it",
        "{fresh} est à jour mais n'est pas {selector} : une affirmation sur {name} en parlerait",
    ),
    "told-pass": ("Reached", "Atteints"),
    "told-fail": ("Not reached", "Non atteints"),
    "told-stale": ("To be measured again", "À mesurer de nouveau"),
    "told-not_measurable": ("Not yet measurable", "Pas encore mesurables"),
    "told-next": ("Next", "À faire"),
    "told-for": ("for {names}", "pour {names}"),
    "told-total": (
        "Claims that hold: {reached} of {total}. Their wording: thesis milestone list",
        "Affirmations vérifiées : {reached} sur {total}. Leur énoncé : thesis milestone list",
    ),
    "told-value": ("{title}: {value} ({source})", "{title} : {value} ({source})"),
    "told-none": (
        "no milestones; write one under [milestones] in thesis.toml",
        "aucun jalon ; en écrire un sous [milestones] dans thesis.toml",
    ),
}
"""Code -> the sentence in English and French."""

NOUNS: dict[str, tuple[str, str]] = {
    "changed-recipe": ("the recipe changed", "la recette a changé"),
    "changed-code": ("the code changed", "le code a changé"),
    "changed-data": ("the data changed", "les données ont changé"),
    "changed-weights": (
        "what it was made from changed",
        "ce dont elle provient a changé",
    ),
    "changed-parent": ("what it was made from is stale", "ce dont elle provient n'est plus à jour"),
    "role-teacher": ("its teacher", "son enseignant"),
    "role-weights": ("whose weights it took", "dont elle a repris les poids"),
    "role-backbone": ("its backbone", "son réseau dorsal"),
    "role-predictions": ("its predictions", "ses prédictions"),
    "measured": ("measured", "mesurée"),
    "cited": ("cited", "citée"),
    "target": ("a target", "visée"),
}
"""Value -> what it is called in a sentence."""
