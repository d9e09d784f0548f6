"""How a report says in which way pictures were looked at."""

import pytest

from experiments.earlier_conditions import from_text
from vault_sync.rendering.words import Words


@pytest.mark.parametrize(
    ("identity", "english", "french"),
    [
        (
            "original",
            "original image size, single scale",
            "images à leur taille d'origine, une seule échelle",
        ),
        (
            "multiscale+flip",
            "several scales and mirrored images",
            "plusieurs échelles et images en miroir",
        ),
        (
            "vga+flip+voting (score_threshold=0.1)",
            (
                "images with their longer side at 640 pixels, single scale, mirrored images too,"
                " box voting (score_threshold=0.1)"
            ),
            (
                "images dont le plus grand côté fait 640 pixels, une seule échelle,"
                " images en miroir aussi, vote des boîtes (score_threshold=0.1)"
            ),
        ),
        ("someone's own", "someone's own", "someone's own"),
    ],
)
def test_a_protocol_is_said_in_words(identity, english, french):
    assert Words("en").protocol(from_text(identity)) == english
    assert Words("fr").protocol(from_text(identity)) == french
