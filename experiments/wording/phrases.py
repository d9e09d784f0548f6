"""Sentences that reports and plots share, in English and French."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from experiments.wording import claim_phrases, machine_phrases
from experiments.wording.claim_phrases import CLAIMS
from experiments.wording.data_phrases import DATA
from experiments.wording.machine_phrases import MACHINES
from experiments.wording.numbers import HARD, MINUS, format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

SENTENCES: dict[str, tuple[str, str]] = {
    "partial-unknown": (
        "{run} was evaluated on {n} images only, not a {wanted} result",
        "{run} n'a été évaluée que sur {n} images : ce n'est pas un résultat {wanted}",
    ),
    "mixed-dataset": (
        "{one} was evaluated on {first}, {other} on {second}: the values can't be compared",
        "{one} a été évaluée sur {first}, {other} sur {second} : valeurs incomparables",
    ),
    "mixed-split": (
        "{one} was evaluated on the split {first}, {other} on {second}",
        "{one} a été évaluée sur la partition {first}, {other} sur {second}",
    ),
    "mixed-protocol": (
        "{one} was evaluated by the protocol {first}, {other} by {second}",
        "{one} a été évaluée selon le protocole {first}, {other} selon {second}",
    ),
    "mixed-complete": (
        "only one of {one} and {other} was evaluated on the whole split",
        "seule l'une des exécutions {one} et {other} a été évaluée sur toute la partition",
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
            "Images synthétiques, partition {split}, {n} images, protocole {protocol} : "
            "ce n'est pas un résultat WIDER FACE"
        ),
    ),
    "data-partial": (
        "{n} images, not a WIDER FACE result (part of the split {split}, protocol {protocol})",
        (
            "{n} images : ce n'est pas un résultat WIDER FACE "
            "(partition {split}, protocole {protocol})"
        ),
    ),
    "data-whole": (
        "{dataset}, split {split}, {n} images, protocol {protocol}",
        "{dataset}, partition {split}, {n} images, protocole {protocol}",
    ),
    "chance": (
        (
            "Brackets: 95% percentile intervals over {resamples} paired resamples of the {n} "
            "images (seed {seed}); P: share of the resamples in which the run beats the first"
        ),
        (
            "Entre crochets : intervalles percentiles à 95\u00a0% sur {resamples} "
            "rééchantillonnages appariés des {n} images (graine {seed}) ; P : part des "
            "rééchantillonnages où l'exécution bat la première"
        ),
    ),
    "holm": (
        (
            "* differs from the first run after Holm's correction over the {n} differences of AP "
            "(5% level); † only its own interval excludes zero"
        ),
        (
            "* diffère de la première exécution après correction de Holm sur les {n} écarts d'AP "
            "(seuil de 5\u00a0%) ; † seul son propre intervalle exclut zéro"
        ),
    ),
    "holm-coarse": (
        (
            "{resamples} resamples are too few for {n} corrected differences: none can be "
            "established; more resamples are needed"
        ),
        (
            "{resamples} rééchantillonnages ne suffisent pas pour {n} écarts corrigés : aucun ne "
            "peut être établi ; il en faut davantage"
        ),
    ),
    "uncertainty": (
        (
            "How sure {n} images are: half a 95% interval is up to {ap} for an AP, and up to "
            "{delta} for a difference, which is paired"
        ),
        (
            "Ce que valent {n} images : la moitié d'un intervalle à 95\u00a0% va jusqu'à {ap} "
            "pour une AP, et jusqu'à {delta} pour un écart, qui est apparié"
        ),
    ),
    "references-aside": (
        "AP of cited or planned results is left out: other data or protocol than these runs",
        (
            "L'AP des résultats cités ou visés n'est pas montrée : données ou protocole autres que "
            "ceux de ces exécutions"
        ),
    ),
    "cited-column": ("{title} [cited]", "{title} [cité]"),
    "experiment": ("Experiment", "Expérience"),
    "seed": ("Seed", "Graine"),
    "run": ("Run", "Exécution"),
    "recipe-key": ("Setting", "Réglage"),
    "settings-title": ("Settings that differ", "Réglages qui diffèrent"),
    "seeds-title": ("Training seeds", "Graines d'apprentissage"),
    "seeds-mean": ("mean of {n}", "moyenne de {n}"),
    "seeds-one": (
        "One training seed per run: nothing is said of other seeds",
        "Une seule graine d'apprentissage par exécution : rien n'est dit d'autres graines",
    ),
    "seeds-few": (
        "Fewer than five seeds of {runs}: each is shown, and nothing is claimed over seeds",
        (
            "Moins de cinq graines pour {runs} : chacune est montrée, et rien n'est affirmé sur "
            "les graines"
        ),
    ),
    "seeds-enough": (
        "Brackets: 95% interval of the mean over seeds (Student's t), the images held fixed",
        (
            "Entre crochets : intervalle à 95\u00a0% de la moyenne sur les graines (t de Student), "
            "à images fixées"
        ),
    ),
    "seeds-less": (
        "{metric}, mean over seeds of {one} less that of {other}: {value} (Welch: {low} to {high})",
        (
            "{metric}, moyenne sur les graines de {one} moins celle de {other} : {value} "
            "(Welch : de {low} à {high})"
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
    "plot-ap-axis": ("AP on the validation split", "AP sur la partition de validation"),
    "plot-ap-title": ("Validation", "Validation"),
    "plot-recall": ("recall", "rappel"),
    "plot-precision": ("precision", "précision"),
    "plot-parameters": ("parameters (log scale)", "paramètres (échelle logarithmique)"),
    "plot-parts": ("parameters", "paramètres"),
    "plot-points": ("difference, points (pt)", "écart, en points (pt)"),
    "plot-macs": (
        "multiply-accumulates at 640², G (log scale)",
        "multiplications-accumulations à 640², G (échelle logarithmique)",
    ),
    "plot-latency-cpu": (
        "median latency on the CPU, ms (log scale)",
        "latence médiane sur CPU, ms (échelle logarithmique)",
    ),
    "plot-latency-gpu": (
        "median latency on the GPU, ms (log scale)",
        "latence médiane sur GPU, ms (échelle logarithmique)",
    ),
    "plot-size-title-params": ("{metric} against size", "{metric} selon la taille"),
    "plot-size-title-macs": ("{metric} against operations", "{metric} selon les opérations"),
    "plot-size-title-latency": ("{metric} against latency", "{metric} selon la latence"),
    "plot-front": ("Pareto front", "front de Pareto"),
    "plot-others": (
        "Published, other protocols: not comparable",
        "Publié, autres protocoles : non comparables",
    ),
    "protocol-original": ("original size", "taille d'origine"),
    "protocol-vga": ("VGA (640×480)", "VGA (640×480)"),
    "protocol-multiscale": ("several scales", "plusieurs échelles"),
    "protocol-multiscale+flip": ("several scales, mirrored", "plusieurs échelles, miroir"),
    "protocol-not stated": ("protocol not stated", "protocole non précisé"),
    "curves-aside": (
        "published curves are of the whole validation split: not drawn beside other data",
        (
            "les courbes publiées portent sur toute la partition de validation : elles ne sont "
            "pas tracées à côté d'autres données"
        ),
    ),
    "plot-measured": ("measured here", "mesuré ici"),
    "plot-cited": ("published", "publié"),
    "plot-target": ("goal", "objectif"),
    "plot-context": (
        "{dataset}, split {split}, protocol {protocol}",
        "{dataset}, partition {split}, protocole {protocol}",
    ),
    "metric": ("Metric", "Mesure"),
    "comparison-of": ("Comparison of {runs}", "Comparaison de {runs}"),
    **CLAIMS,
    **DATA,
    **MACHINES,
}

NOUNS: dict[str, tuple[str, str]] = {
    "widerface": ("WIDER FACE", "WIDER FACE"),
    "synthetic": ("synthetic", "synthétiques"),
    **claim_phrases.NOUNS,
    **machine_phrases.NOUNS,
}
MOST = 3
"""Details that a sentence lists."""


@runtime_checkable
class Worded(Protocol):
    """What says itself in either language."""

    def text(self, language: str) -> str:
        """Return its words in LANGUAGE."""


@dataclass(frozen=True)
class Amount:
    """A number of a claim, as it reads beside another one that it must not look equal to."""

    value: float
    unit: str = ""
    signed: bool = False
    """Whether it is a difference: percentages differ by points."""
    places: int = 1

    def text(self, language: str = "en") -> str:
        """Return the number with its unit."""
        return self._text(language).replace("-", MINUS, 1 if self.value < 0 else 0)

    def _text(self, language: str) -> str:
        sign = "+" if self.signed else ""
        if self.unit in ("fraction", "points"):
            kind = "p" if self.signed or self.unit == "points" else "%"
            return format_number(self.value, f"{sign}.{self.places}{kind}", language)
        if self.unit == "MACs":
            return format_number(self.value, f"{sign}.{self.places + 2}G", language)
        if self.unit == "parameters" or (self.value.is_integer() and abs(self.value) >= 1000):
            return format_number(self.value, f"{sign},.0f", language)
        text = format_number(self.value, f"{sign}.{self.places + 3}g", language)
        unit = {"MB": "Mo"}.get(self.unit, self.unit) if language == "fr" else self.unit
        return f"{text}{HARD}{unit}" if unit in ("ms", "MB", "Mo") else text

    def beside(self, other: Amount) -> Amount:
        """Return this amount with as many places as tell it from OTHER."""
        for places in range(1, 6):
            mine, its = (Amount(one.value, one.unit, one.signed, places) for one in (self, other))
            if mine.value == its.value or mine.text() != its.text():
                return mine
        return mine


def say(code: str, language: str, **values: object) -> str:
    """Return the sentence CODE in LANGUAGE, its numbers and nouns worded for it."""
    pattern = SENTENCES[code][language == "fr"]
    return pattern.format(**{key: _word(value, language) for key, value in values.items()})


def listed(details: Sequence[str], language: str) -> str:
    """Return the first DETAILS, and how many more there are; empty for none."""
    shown = ", ".join(details[:MOST])
    rest = len(details) - MOST
    return say("and-more", language, shown=shown, n=rest) if rest > 0 else shown


def _word(value: object, language: str) -> str:
    if isinstance(value, str):
        noun = NOUNS.get(value)
        return noun[language == "fr"] if noun else machine_phrases.settings_worded(value, language)
    if isinstance(value, Worded):
        return value.text(language)
    if isinstance(value, tuple):
        return ", ".join(_word(one, language) for one in value)
    if isinstance(value, int):
        return format_number(value, ",", language)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) >= 1000
        return format_number(value, ",.0f" if whole else ".4g", language)
    return str(value)
