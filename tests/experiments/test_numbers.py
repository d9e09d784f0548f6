"""Numbers as each language prints them."""

import pytest

from experiments.wording.numbers import format_number
from featherface.errors import UsageError


@pytest.mark.parametrize(
    ("value", "spec", "english", "french"),
    [
        (0.825, ".1%", "82.5%", "82,5\u00a0%"),
        (488_664, ",", "488,664", "488\u202f664"),
        (1_160_000_000, ".2G", "1.16\u00a0G", "1,16\u00a0G"),
        (41.55, ".1f", "41.5", "41,5"),
        (-0.015, "+.1f", "-0.0", "\u22120,0"),
        (0.015, "+.1%", "+1.5%", "+1,5\u00a0%"),
        (1e-5, ".2e", "1.00e-05", "1,00e\u221205"),
        (12, "", "12", "12"),
        (0.1, "", "0.1", "0,1"),
        (1234.5, ",.1f", "1,234.5", "1\u202f234,5"),
    ],
)
def test_both_languages(value, spec, english, french):
    assert format_number(value, spec, "en") == english
    assert format_number(value, spec, "fr") == french


def test_another_format_is_refused():
    with pytest.raises(UsageError, match=r"number format '\{\}'"):
        format_number(1.0, "{}", "en")
