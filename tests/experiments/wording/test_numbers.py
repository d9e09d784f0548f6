"""Numbers as each language prints them."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.number_formats import difference_format, number_format
from experiments.plotting.style import number_ticks
from experiments.wording.formats import FORMATS
from experiments.wording.numbers import EXTRA, format_number, plain_number, scaled
from experiments.wording.phrases import Amount
from experiments.wording.tables import NumberCell, Table
from featherface.errors import UsageError
from thesis_cli.wording import difference, quantity
from vault_sync.rendering.words import Words

SPECS = (
    "",
    ",",
    "d",
    ".1%",
    "+.1%",
    ".1p",
    "+.1p",
    ".0f",
    "+,.1f",
    ".3g",
    ".2e",
    ".1K",
    ".2M",
    ".2G",
)


@pytest.mark.parametrize(
    ("value", "spec", "english", "french"),
    [
        (0.825, ".1%", "82.5%", "82,5\u202f%"),
        (488_664, ",", "488,664", "488\u202f664"),
        (1_160_000_000, ".2G", "1.16\u00a0G", "1,16\u00a0G"),
        (41.55, ".1f", "41.5", "41,5"),
        (-0.15, "+.1f", "\u22120.1", "\u22120,1"),
        (0.015, "+.1%", "+1.5%", "+1,5\u202f%"),
        (1e-5, ".2e", "1.00×10⁻⁵", "1,00×10⁻⁵"),
        (-1.5e12, ".1e", "\u22121.5×10¹²", "\u22121,5×10¹²"),
        (488_664, ".2M", "0.49\u00a0M", "0,49\u00a0M"),
        (488_664, ".0K", "489\u00a0K", "489\u00a0K"),
        (0.0149, "+.1p", "+1.5\u00a0pt", "+1,5\u00a0pt"),
        (12.6, "d", "13", "13"),
        (12, "", "12", "12"),
        (0.1, "", "0.1", "0,1"),
        (1234.5, ",.1f", "1,234.5", "1\u202f234,5"),
    ],
)
def test_both_languages(value, spec, english, french):
    assert format_number(value, spec, "en") == english
    assert format_number(value, spec, "fr") == french


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_zero_is_zero_in_every_format(spec, zero, language):
    text = format_number(zero, spec, language)
    assert text.rstrip("%ptKMG\u00a0\u202f") == "0"
    assert plain_number(zero, spec) == "0"


@pytest.mark.parametrize(
    ("value", "spec", "english", "french"),
    [
        (0.0004, ".1%", "0.04%", "0,04\u202f%"),
        (-0.0001, "+.1p", "\u22120.01\u00a0pt", "\u22120,01\u00a0pt"),
        (0.0001, "+.1p", "+0.01\u00a0pt", "+0,01\u00a0pt"),
        (-0.015, "+.1f", "\u22120.01", "\u22120,01"),
        (0.4, "d", "0.4", "0,4"),
        (200, ".2M", "0.0002\u00a0M", "0,0002\u00a0M"),
        (1e-9, ".1f", "1×10⁻⁹", "1×10⁻⁹"),
        (-2.5e-17, "+.1p", "\u22122×10⁻¹⁵\u00a0pt", "\u22122×10⁻¹⁵\u00a0pt"),
    ],
)
def test_what_would_look_like_zero_shows_its_first_digit(value, spec, english, french):
    assert format_number(value, spec, "en") == english
    assert format_number(value, spec, "fr") == french


@given(
    st.floats(-1e300, 1e300).filter(bool),
    st.sampled_from([".1%", ".2f", "+.1p"]),
)
def test_no_other_number_prints_as_zero(value, spec):
    text = plain_number(value, spec)
    assert any(digit in text.partition("e")[0] for digit in "123456789")
    assert (text[0] == "-") == (value < 0)
    # Half a unit of the last place; one significant digit where it is a power of ten.
    exact, places = float(scaled(value, spec)), int(spec[-2])
    if abs(exact) >= 10.0 ** -(places + EXTRA):
        assert abs(float(text) - exact) <= 0.5 * 10.0**-places * (1 + 1e-9) + 1e-12 * abs(exact)
    else:
        assert float(text) == pytest.approx(exact, rel=0.5)


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (math.nan, "undefined", "non défini"),
        (math.inf, "infinite", "infini"),
        (-math.inf, "minus infinity", "moins l'infini"),
    ],
)
@pytest.mark.parametrize("spec", ["", "d", "+.1%", ".2G", ".2e"])
def test_what_is_no_number_is_said_in_words(value, spec, english, french):
    assert format_number(value, spec, "en") == english
    assert format_number(value, spec, "fr") == french


ZEROS = Table("t", ("what", "value"), (("zero", NumberCell(-0.0, "+.1p")), ("none", None)))


@pytest.mark.parametrize(
    ("form", "zero", "absent"),
    [
        ("md", "| 0\u00a0pt |", "| – |"),
        ("latex", r"& \num{0}\,pt", "& --"),
        ("csv", "zero,0\n", "none,\n"),
        ("json", '"zero",\n 0\n', "null"),
    ],
)
def test_tables_tell_zero_from_nothing(form, zero, absent):
    text = re.sub(" +", " ", FORMATS[form](ZEROS, "en"))
    assert zero in text
    assert absent in text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_latex_says_what_is_no_number(value):
    text = FORMATS["latex"](Table("t", ("a",), ((NumberCell(value, ".1%"),),)), "en")
    assert r"\num" not in text
    assert format_number(value, "", "en") in text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_plots_say_zero_where_a_tick_misses_it_by_rounding(language):
    ticks = number_ticks("+.1f", language, factor=100)
    assert [ticks(value) for value in (-2.7e-17, 0.0, 1e-18)] == ["0"] * 3
    assert ticks(-0.015) == format_number(-1.5, "+.1f", language)


def test_the_terminal_says_zero():
    assert quantity(0.0, "fraction") == "0%"
    assert quantity(-0.0, "ms") == "0 ms"
    assert quantity(math.nan, "ms") == "undefined"
    assert difference(-0.0, "fraction") == "0\u00a0pt"
    assert Amount(0.0, "fraction").text("fr") == "0\u202f%"
    assert Amount(-0.0, "ms", signed=True).text() == "0\u00a0ms"


@pytest.mark.parametrize(
    "name", ["widerface.hard.ap", "latency.cpu.median_ms", "macs.640", "train.loss"]
)
def test_notes_say_zero(name):
    for language in ("en", "fr"):
        words = Words(language)
        assert words.amount(-0.0, name).rstrip("% msG\u00a0\u202f") == "0"
        assert words.change(0.0, name).rstrip("% pmstG\u00a0\u202f") == "0"


def test_another_format_is_refused():
    with pytest.raises(UsageError, match=r"number format '\{\}'"):
        format_number(1.0, "{}", "en")


@pytest.mark.parametrize(
    ("metric", "value", "shown", "change"),
    [
        ("widerface.hard.ap", 0.8253, "82.5%", "+82.5\u00a0pt"),
        ("widerface.hard.ap", 0.0, "0%", "0\u00a0pt"),
        ("params.total", 488_664, "488,664", "+488,664"),
        ("macs.640", 1.158e9, "1.16\u00a0G", "+1.16\u00a0G"),
        ("latency.cpu.median_ms", 1041.46, "1,041.5", "+1,041.5"),
        ("memory.peak_mb", 61.25, "61.2", "+61.2"),
        ("size.fp32_mb", 2.006, "2.01", "+2.01"),
        ("memory.peak_mb", 0.004, "4.0×10⁻³", "+4.0×10⁻³"),
        ("memory.peak_mb", 0.0, "0", "0"),
        ("export.onnx.parity", 2.41e-6, "2.4×10⁻⁶", "+2.4×10⁻⁶"),
        ("train.loss", 3.14159, "3.1416", "+3.1416"),
    ],
)
def test_a_metric_is_shown_with_its_places(metric, value, shown, change):
    assert format_number(value, number_format(metric, value=value)) == shown
    assert format_number(value, difference_format(metric, value=value)) == change
