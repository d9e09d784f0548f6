"""Why something was not made or timed is told in the language of whoever reads the record."""

from __future__ import annotations

import pytest

from experiments.wording.packaged import translate


@pytest.mark.parametrize(
    ("recorded", "french"),
    [
        (
            "tflite was not timed: LiteRT is not installed",
            "tflite n'a pas été chronométré\u202f: LiteRT n'est pas installé",
        ),
        (
            "coreml was not made: it needs x; install it: pip x",
            "coreml n'a pas été écrit\u202f: it needs x\u202f; pour l'installer\u202f: pip x",
        ),
        (
            "coreml was not made: Core ML needs coremltools, which is not here",
            "coreml n'a pas été écrit\u202f: Core ML demande coremltools, qui manque ici",
        ),
        (
            "v2.x is converted, not run: no engine here opens it",
            "v2.x est converti, mais non exécuté\u202f: aucun moteur ici ne l'ouvre",
        ),
        (
            "it takes 640×480 alone, and squares are timed",
            "il ne prend que 640×480, et ce sont des carrés qui sont chronométrés",
        ),
        (
            "onnx was not timed: it fell over",
            "onnx n'a pas été chronométré\u202f: it fell over",
        ),
    ],
)
def test_a_reason_is_told_in_french(recorded, french):
    assert translate(recorded, "fr") == french
    assert translate(recorded, "en") == recorded


def test_a_students_words_stay():
    said = "The camera, which is not here, sees small faces; install it: later"
    assert translate(said, "fr") == said
