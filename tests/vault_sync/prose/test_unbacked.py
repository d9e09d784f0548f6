"""Plain numbers that read like results are found, in both languages, and others are passed by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.prose import plain
from vault_sync.prose.results import KINDS
from vault_sync.prose.unbacked import find_results


def results(text):
    return [(one.text, one.kind) for one in find_results(text.encode())]


def backings(text):
    return [(one.text, one.backing) for one in find_results(text.encode())]


@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [
        ("97.3% AP on the hard subset", "97.3%", "percentage"),
        ("une précision de 97,3\u202f%", "97,3\u202f%", "percentage"),
        ("soit 97,3 pour cent", "97,3 pour cent", "percentage"),
        ("With batch 32 it reaches 97 %.", "97 %", "percentage"),
        ("Celui-ci atteint 97 %.", "97 %", "percentage"),
        ("An AP of 87 is told.", "87", "score"),
        ("It has 87 mAP.", "87", "score"),
        ("rappel : 0,91", "0,91", "score"),
        ("The recall reaches 0.912.", "0.912", "score"),
        ("the best is 0.834", "0.834", "score"),
        ("le meilleur score est de 0,834", "0,834", "score"),
        ("latence de 8,2 ms", "8,2 ms", "latency"),
        ("inference takes 0.9 s", "0.9 s", "latency"),
        ("a latency of 8.2", "8.2", "cost"),
        ("489K paramètres", "489K", "parameters"),
        ("488 664 parameters", "488 664", "parameters"),
        ("parameters: 488,664", "488,664", "parameters"),
        ("0,49 Mo", "0,49 Mo", "size"),
        ("1.16 GFLOPs", "1.16 GFLOPs", "operations"),
        ("45 FPS", "45 FPS", "speed"),
        ("30 images par seconde", "30 images par seconde", "speed"),
        ("2.3x faster", "2.3x", "factor"),
        ("3 fois plus rapide", "3 fois", "factor"),
        ("2,3× moins de paramètres", "2,3×", "factor"),
        ("+1.5 pt of AP", "+1.5 pt", "difference"),
        ("a parity of 4,53×10⁻⁶", "4,53×10⁻⁶", "error"),
        ("reaches $97.3\\%$ there", "97.3\\%", "percentage"),
        ("### 97 % AP reached", "97 %", "percentage"),
        ("| Subset | mAP |\n|---|---|\n| Hard | 78.3 |", "78.3", "score"),
        ("| Latency | 8.2 |\n|---|---|", "8.2", "cost"),
        ("Model | AP\n---|---\nv2 | 78.3", "78.3", "score"),
    ],
)  # fmt: skip
def test_what_reads_like_a_result_is_found(text, number, kind):
    assert (number, kind) in results(text)
    assert kind in KINDS


@pytest.mark.parametrize(
    "number",
    [
        "−82.6 %", "-82.6 %", "±82.6 %", "82,6 ± 0,4 %", "82,6–83,5 %", "82.6-83.5%",
        "[82,6 ; 83,5] %", "82,6 % – 83,5 %", "+3–4 %", "82,6** %",
    ],
)  # fmt: skip
def test_signs_and_ranges_belong_to_the_number(number):
    before = "**" if "*" in number else ""
    assert [text for text, _ in results(f"It is {before}{number} here.")] == [number]


def test_a_bold_number_is_one():
    assert results("It is **82,6 %** here.") == [("82,6 %", "percentage")]


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-01-02, in 2024, at 12:30, le 3 mars 2025, from 2024–2025.",
        "Chapter 3.2, section 4.1, p. 82, pp. 82–83, page 82, Fig. 3, tableau 4, § 5.",
        "It costs $5 million, 5 €, 82,6 euros, USD 500 or 82 $.",
        "Batch 32, learning rate 1e-3, 640×640 pixels, 640 x 480, seed 42, epoch 350.",
        "A dropout of 10 %, probability of 50 %, seuil de confiance fixé à 40 %, IoU 0.5.",
        "A 95 % confidence interval, IC à 95 %, un intervalle de confiance à 95 %, 95% CI.",
        "80 % of the images, 20 % des données, warm-up over the first 5 %.",
        "Python 3.11, PyTorch 2.1, CUDA 12.1, version 0.831, v1.0, fp16, AP50, AP@0.5.",
        "ISBN 978-2-1234-5680-3, doi:10.1109/cvpr.2020.82, arXiv:2501.01234, ISSN 1234-5678.",
        "ap:: 82.6 %", "- recall:: 82.6 %", "It has [ap:: 82.6] and (ap:: 82.6 %).",
        "`82.6 % AP`", "```\n82.6 % AP\n```", "A line.\n\n    82.6 % AP\n", "A.\n\n\t82.6 % AP\n",
        "[[Note|82.6 %]] [a](82.6%) https://example.org/82.6% <b title='82.6 %'> $\\alpha = 0.9$",
        "---\nap: 82.6 %\n---\n", "%%82.6 % AP%% <!-- 82.6 % AP -->",
        "1. AP\n2. Recall\n\n## 3.2 AP\n\n### 4 Recall", "3 parameters: a, b and c; 80 images.",
        "| Setting | Value |\n|---|---|\n| dropout | 10 % |\n| lr | 1e-3 |\n| image size | 640 |",
        "| Epoch | Step |\n|---|---|\n| 12.5 | 350 |",
        "<!-- thesis:begin id=a template=b -->\n\n82.6 %\n\n<!-- thesis:end id=a -->",
        "reaches <!--t:v2 widerface.hard.ap .1%-->82.5 %<!--/t-->",
    ],
)  # fmt: skip
def test_what_is_no_result_is_passed_by(text):
    assert results(text) == []


@pytest.mark.parametrize(
    "cited",
    [
        "82 % [@kim2025]", "82 % [see @kim2025, p. 3]", "@kim2025 tells 82 %", "82 % \\cite{kim}",
        "82 % [[@kim2025]]", "82 %.[^1]\n\n[^1]: See [@kim].", "82 % \\parencite[3]{kim}",
        "82 %. [@kim2025] And more", "82 % ^[so says [@kim]]",
    ],
)  # fmt: skip
def test_a_citation_in_the_sentence_backs_a_number(cited):
    assert backings(cited) == [("82 %", "cited")]


@pytest.mark.parametrize(
    "other",
    [
        "82 %. Then [@kim2025].", "[@kim2025] says so. It is 82 %.", "82 %.[^1]\n\n[^1]: Mine.",
        "82 %\n\n[@kim2025]", "82 % of v2@best", "82 %, write to me@example.org",
        "| AP |\n|---|\n| 82 % |\n| [@kim] |", "82 % `[@kim]`",
    ],
)  # fmt: skip
def test_a_citation_elsewhere_backs_nothing(other):
    assert backings(other) == [("82 %", "")]


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("I hope for 97 % <!--t:own-->. Not 96 %.", ["own", ""]),
        ("I hope for 97 %. <!--t:own--> Not 96 %.", ["own", ""]),
        ("Not 96 %. I hope <!--t:own--> for 97 %.", ["", "own"]),
        ("<!--t:own-->\nMine: 97 %. And 96 %.\n\nNot 95 %.", ["own", "own", ""]),
        ("<!--t:own-->\n\nMine: 97 %.\nAnd 96 %.\n\nNot 95 %.", ["own", "own", ""]),
        ("<!--t:own-->\n\n- 97 %\n- 96 %\n\n95 %", ["own", "own", ""]),
        ("<!--t:own-->\n| AP |\n|---|\n| 97 |\n| 96 |\n\n95 %", ["own", "own", ""]),
        ("| AP | note |\n|---|---|\n| 97 | <!--t:own--> |\n| 96 | |", ["own", ""]),
        ("> <!--t:own-->\n> Mine: 97 %.\n\n95 %", ["own", ""]),
        ("`<!--t:own-->` is the mark of 97 %", [""]),
        ("<!--t:own-->\n```\ncode\n```\n95 %", [""]),
    ],
)  # fmt: skip
def test_the_students_own_mark_covers_its_sentence_or_what_follows_it(text, own):
    assert [backing for _, backing in backings(text)] == own


def test_a_head_of_a_table_backs_its_column():
    text = "| | AP [@kim] | AP |\n|---|---|---|\n| Hard | 78.3 | 79.3 |"
    assert backings(text) == [("78.3", "cited"), ("79.3", "")]


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "97.3 % AP", "−82.6", "±", "82,6–83,5 %", "[82 ; 83] %", "10⁻⁶", "4e-6", "$", "$$",
                "<!--t:own-->", "[@k]", "[^1]", "[^1]: ", "@k", "|", "\n| 1 % |\n|---|\n", ". ",
                "\n\n", "\r\n", "\r", "    ", "- ", "> ", "`", "```", "#", "::", "é", "İ", "📏",
                "\u202f", "\x00", "€", "%%", "[[", "]]", "&#8203;", "<!--", "-->", "ms", "×",
            ]
        ).map(str.encode),
        st.binary(max_size=6),
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(PIECES)
def test_any_bytes_are_looked_at_and_every_span_is_right(data):
    place = 0
    for one in find_results(data):
        assert place <= one.start < one.stop <= len(data)
        there = data[one.start : one.stop].decode("utf-8", "surrogateescape")
        assert there.replace("\\,", "  ") == one.text
        place = one.stop


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_random_bytes_around_a_number_hide_none(before, after):
    data = before + b"\n\nIt reaches 97.3 % AP.\n\n" + after
    shown = not any(mark in before for mark in (b"`", b"~", b"<", b"-", b"$", b"%", b"thesis"))
    assert not shown or "97.3 %" in [one.text for one in find_results(data)]


def test_the_work_grows_with_the_note_and_no_faster(monkeypatch):
    steps = []
    real = plain.TextPassage.offset

    def counted(self, place):
        latest = self._latest[0]
        steps.append(place - latest if place >= latest else place)
        return real(self, place)

    monkeypatch.setattr(plain.TextPassage, "offset", counted)

    def work(lines):
        steps.clear()
        text = b"epoch 3 loss 0.123 ap 0.456 and 82.5 % in 8.2 ms\n" * lines
        numbers = sum(1 for _ in find_results(text)) + sum(1 for _ in plain.find_numbers(text))
        return numbers, sum(steps)

    small, large = work(50), work(500)
    assert large[0] == 10 * small[0]
    assert large[1] <= 11 * small[1]
