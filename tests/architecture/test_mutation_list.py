"""Each kept fault still applies: a list that rots proves nothing."""

from __future__ import annotations

import ast
from itertools import zip_longest
from pathlib import Path

import pytest
from mutations.catalogue import read_catalogue

ROOT = Path(__file__).resolve().parents[2]
MUTATIONS = read_catalogue(ROOT / "tests" / "mutations")
LEAST = 60


def functions(path):
    """Return the names of what is defined in the file at PATH, as a node id has them."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if hasattr(node, "name")}


def test_the_list_is_long():
    assert len(MUTATIONS) >= LEAST


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_it_changes_one_line_of_a_file_that_still_parses(mutation):
    text = mutation.mutated_file(ROOT).decode("utf-8")
    lines = zip_longest(mutation.old.splitlines(), mutation.new.splitlines())
    assert sum(old != new for old, new in lines) == 1
    if mutation.file.endswith(".py"):
        ast.parse(text)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_tests_that_should_notice_are_there(mutation):
    assert mutation.tests
    for node in mutation.tests:
        file, _, name = node.partition("::")
        assert (ROOT / file).is_file(), node
        assert not name or name.partition("[")[0] in functions(ROOT / file), node
