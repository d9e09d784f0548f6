"""Which networks stand for the others."""

from dataclasses import replace

from stand_ins.networks import PARTS, every_network, representatives

from featherface.variants.table import VARIANTS


def with_another(**fields):
    """Return the table with a network that is v2 but for FIELDS."""
    other = replace(VARIANTS["v2"], config=replace(VARIANTS["v2"].config, **fields))
    return {**VARIANTS, "another": other}


def test_every_backbone_neck_and_context_is_in_one_of_them():
    chosen = representatives()
    for part in PARTS:
        usual = {getattr(VARIANTS[name].config, part) for name in chosen}
        assert usual == {getattr(variant.config, part) for variant in VARIANTS.values()}
    assert chosen[:3] == ["v1", "v2", "retinaface-mnet025"]
    assert len(chosen) == len(set(chosen)) <= len(VARIANTS) / 2


def test_a_new_network_joins_them_for_a_new_block_alone():
    assert representatives(with_another(channels=64)) == representatives()
    table = with_another()
    object.__setattr__(table["another"].config, "neck", "a new neck")
    assert set(representatives(table)) == {*representatives(), "another"}


def test_every_network_is_there_and_the_others_carry_the_mark():
    marked = {param.values[0]: bool(param.marks) for param in every_network()}
    assert marked == {name: name not in representatives() for name in VARIANTS}
