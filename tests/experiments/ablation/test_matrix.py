"""The matrix of an ablation: one innovation at a time, and the packaged recipes of it."""

import functools
import itertools

import pytest

from experiments.ablation.matrix import TAG, matrix
from experiments.recipe.model import differences
from experiments.recipe.resolve import packaged, resolve
from featherface.errors import UsageError
from featherface.variants.table import VARIANTS
from vault_sync.rendering.sources import ABLATION

SWITCHED = [name for name, one in VARIANTS.items() if one.switches]
ABOUT = {"name", "title", "hypothesis", "tags"}


@pytest.mark.parametrize("name", SWITCHED)
def test_each_ablation_lacks_one_innovation_and_nothing_else(name):
    base, *others = [cell.resolved.recipe for cell in matrix(name)]
    found = []
    for one in others:
        keys = differences(base, one).keys() - ABOUT
        assert len(keys) == 1
        assert f"{TAG}{name}" in one.tags
        found += [key.removeprefix("model.") for key in keys]
    assert found == list(VARIANTS[name].switches)
    assert len({one.name for one in others}) == len(others)


@pytest.mark.parametrize("name", SWITCHED)
def test_building_up_adds_one_innovation_at_a_time(name):
    base, *steps = [cell.resolved.recipe for cell in matrix(name, build_up=True)]
    switches = VARIANTS[name].switches
    bare = {key: getattr(steps[0].model.detector(), key) for key in switches}
    assert bare == dict(switches)
    for one, after in itertools.pairwise([*steps, base]):
        assert len(differences(one, after).keys() - ABOUT) == 1


def test_every_seed_has_a_base_of_its_own():
    cells = matrix("v2-ultra", None, ["seed=3"], seeds=2)
    bases = [cell.resolved.recipe for cell in cells if not cell.change]
    assert [one.seed for one in bases] == [3, 4]
    assert len(cells) == 2 * (1 + len(VARIANTS["v2-ultra"].switches))


def test_what_the_recipe_has_off_already_is_not_switched():
    cells = matrix("v2-ultra", None, ["model.scale_fusion=false"])
    assert "v2-ultra-without-scale-fusion" not in {cell.resolved.recipe.name for cell in cells}
    assert len(cells) == len(VARIANTS["v2-ultra"].switches)


def test_a_network_without_switches_is_refused():
    with pytest.raises(UsageError, match="'v1' has variant v1") as caught:
        matrix("v1")
    assert all(name in caught.value.hint for name in SWITCHED)


@functools.cache
def planned(base):
    cells = [*matrix(base), *matrix(base, build_up=True)]
    return [cell.resolved.recipe for cell in cells]


@pytest.mark.parametrize("name", [name for name in packaged() if name.startswith("ablations/")])
def test_packaged_ablations_are_those_of_the_matrix(name):
    one = resolve(name).recipe
    base = next(tag.removeprefix(TAG) for tag in one.tags if tag.startswith(TAG))
    assert one in planned(base)


def test_reports_know_an_ablation_by_its_tag():
    assert TAG == ABLATION
