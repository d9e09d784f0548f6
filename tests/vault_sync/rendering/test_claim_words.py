"""Claims and reasons in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.claims.evidence import Reason
from experiments.claims.predicates import parse
from experiments.metrics import KINDS
from experiments.wording.phrases import Amount
from experiments.workspace.workspace import Workspace
from vault_sync.rendering.claim_words import claim_in_words, limit_in_words, reason_in_words
from vault_sync.rendering.words import Words

NARROW = "\u202f"
BEST = "v2@best widerface.easy.ap >= 0.905 and v2@best widerface.hard.ap > 0.82"


@pytest.mark.parametrize(
    ("predicate", "english", "french"),
    [
        (
            "v2 latency.cpu.ratio.v1 < 0.6",
            "CPU latency, times v1's: below 0.600 (v2)",
            None,
        ),
        (
            BEST,
            "AP Easy: at least 90.5%; AP Hard: over 82.0% (v2, best version)",
            (
                f"AP Easy{NARROW}: au moins 90,5{NARROW}%{NARROW}; AP Hard{NARROW}: "
                f"plus de 82,0{NARROW}% (v2, meilleure version)"
            ),
        ),
        (
            "v1@3 params.total >= 487_000 and v1@3 params.total <= 491_000",
            "Parameters: from 487,000 to 491,000 (v1@3)",
            f"Paramètres{NARROW}: de 487{NARROW}000 à 491{NARROW}000 (v1@3)",
        ),
        (
            "v2 widerface.hard.ap >= 90% * v1@best widerface.hard.ap",
            "AP Hard of v2: at least 90% × AP Hard of v1 (best version)",
            f"AP Hard de v2{NARROW}: au moins 90{NARROW}% × AP Hard de v1 (meilleure version)",
        ),
        (
            "v1 size.fp32_mb <= 2.1 or not v2 memory.peak_mb < 12.345",
            (
                "Weights, fp32: at most 2.10\u00a0MB (v1); or "
                "not so: Peak memory: below 12.345\u00a0MB (v2)"
            ),
            None,
        ),
    ],
)
def test_claims_read_as_sentences(predicate, english, french):
    assert claim_in_words(parse(predicate), Words("en")) == english
    if french:
        assert claim_in_words(parse(predicate), Words("fr")) == french


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_packaged_claim_keeps_its_predicate(tmp_path, language):
    workspace = Workspace.create(tmp_path / "thesis", language=language)
    for milestone in workspace.milestones.values():
        said = claim_in_words(parse(milestone.predicate), Words(language), workspace.cited)
        assert not re.search(r"[<>=]|@best|_|\b(?:widerface|params|latency)\.", said), said


def test_published_results_go_by_their_titles(tmp_path):
    workspace = Workspace.create(tmp_path / "thesis", language="fr")
    claim = parse("v2 widerface.hard.ap > cited:featherface-paper widerface.hard.ap")
    said = claim_in_words(claim, Words("fr"), workspace.cited)
    assert said == f"AP Hard de v2{NARROW}: plus de AP Hard de FeatherFace (article)"


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 9_999_999), st.integers(0, 4))
def test_a_limit_keeps_all_its_digits(metric, digits, places):
    value = digits / 10**places
    said = limit_in_words(Words("en"), value, metric)
    number = float(re.sub(r"[^\d.e−-]", "", said.replace("×10", "e").translate(SUPERSCRIPTS)))
    unit = KINDS[metric].unit
    scale = 100 if unit == "fraction" else 1e-9 if unit == "MACs" else 1
    assert number == pytest.approx(value * scale, rel=1e-6, abs=6e-7 if unit != "parameters" else 1)


SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


@pytest.mark.parametrize(
    ("reason", "english"),
    [
        (
            Reason("no-metric", {"run": "v1@1", "metric": "latency.gpu.median_ms"}),
            "v1@1 has not measured “GPU latency, median”",
        ),
        (Reason("no-run", {"run": "v2-plus@best"}), "no finished run of v2-plus"),
        (
            Reason(
                "shortfall",
                {
                    "what": "Parameters of v2@1",
                    "left": Amount(300_000.0, "parameters"),
                    "sign": "≤",
                    "right": Amount(285_000.0, "parameters"),
                },
            ),
            "Parameters of v2@1: 300,000, which is not at most 285,000",
        ),
        (
            Reason("negation", {"claim": "v2 params.total < 1000"}),
            "Parameters: below 1,000 (v2) holds",
        ),
    ],
)
def test_reasons_name_no_keys(reason, english):
    assert reason_in_words(reason, Words("en")) == english
