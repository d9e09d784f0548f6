from __future__ import annotations

import pytest

from featherface.errors import UsageError
from featherface.evaluation.config import EvaluateConfig


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score_threshold", 1.0),
        ("score_threshold", -0.1),
        ("score_threshold", float("nan")),
        ("nms_threshold", 0.0),
        ("nms_threshold", 1.5),
        ("decision", 1.5),
        ("max_detections", -1),
        ("batch_size", 0),
    ],
)
def test_values_out_of_range_name_their_key(key, value):
    with pytest.raises(UsageError, match=f"evaluate.{key} is {value}; it must be"):
        EvaluateConfig(**{key: value})


def test_an_unknown_protocol_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'original'"):
        EvaluateConfig(protocol="orginal")


def test_the_identity_tells_what_moves_ap():
    assert EvaluateConfig(batch_size=9, predictions="x").identity == "original"
    mirrored = EvaluateConfig(protocol="multiscale", flip=True, voting=True, decision=0.3)
    assert mirrored.identity == "multiscale+flip+voting"
    assert mirrored.departures(decided=True) == {"flip": True, "voting": True, "decision": 0.3}
    changed = EvaluateConfig(nms_threshold=0.3, score_threshold=0.1)
    assert changed.identity == "original (score_threshold=0.1, nms_threshold=0.3)"
