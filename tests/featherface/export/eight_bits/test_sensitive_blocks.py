from __future__ import annotations

import numpy as np
import pytest
import torch

from featherface.export.eight_bits.answer_errors import overlaps
from featherface.export.eight_bits.sensitive_blocks import block_of, choose, module_of

ERRORS = {
    "a.0.0/Conv": 0.5,
    "a.0.1/Conv": 0.25,
    "a.1.0/Conv": 0.125,
    "b.0/Conv": 0.0625,
    "c/Conv": 0.03125,
}


class Stub:
    """Layers whose errors add up."""

    layers = tuple(ERRORS)

    def quantised(self, layers):
        return frozenset(layers)

    def error(self, layers):
        return sum(ERRORS[name] for name in layers)


@pytest.mark.parametrize(
    ("limit", "left"),
    [(1.0, []), (0.5, ["a.0"]), (0.1, ["a.0", "a.1"]), (0.04, ["a.0", "a.1", "b"])],
)
def test_the_fewest_blocks_that_keep_the_limit_are_left_alone(limit, left):
    choice = choose(Stub(), limit)
    assert list(choice.sensitive) == left
    assert choice.blocks == 4
    assert choice.error == sum(ERRORS[name] for name in choice.layers) <= limit
    assert choice.error_of_all == sum(ERRORS.values())
    assert {block_of(name) for name in choice.layers}.isdisjoint(left)


def test_where_nothing_keeps_the_limit_nothing_is_quantised():
    choice = choose(Stub(), 1e-9)
    assert (choice.layers, len(choice.sensitive), choice.error) == ((), 4, 0)


def test_sensitive_blocks_carry_the_error_that_they_have_alone():
    assert dict(choose(Stub(), 0.1).sensitive) == {"a.0": 0.75, "a.1": 0.125}


def test_a_block_is_the_module_that_holds_a_layer():
    assert (module_of("a.0.1/Conv_2"), block_of("a.0.1/Conv_2"), block_of("c/Conv")) == (
        *("a.0.1", "a.0", "c"),
    )


def test_overlaps_of_pairs():
    first = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1]])
    second = torch.tensor([[1.0, 0, 3, 2], [0, 0, 1, 1], [5, 5, 6, 6]])
    assert np.asarray(overlaps(first, second)) == pytest.approx([1 / 3, 1, 0])
