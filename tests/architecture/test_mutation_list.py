"""Each kept fault still applies: a list that rots proves nothing."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from mutations.catalogue import OutdatedError, read_catalogue

ROOT = Path(__file__).resolve().parents[2]
MUTATIONS = read_catalogue(ROOT / "tests" / "mutations")
LEAST = 60


@functools.cache
def functions(path):
    """Return the names of what is defined in the file at PATH, as a node id has them."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if hasattr(node, "name")}


def there(node):
    """Tell whether there is a test of the id NODE, whatever its parameters."""
    file, _, name = node.partition("::")
    known = (ROOT / file).is_file()
    return known and (not name or name.partition("[")[0] in functions(ROOT / file))


def test_the_list_is_long():
    assert len(MUTATIONS) >= LEAST


def test_no_fault_is_listed_twice():
    names = defaultdict(list)
    for mutation in MUTATIONS:
        names[mutation.file, mutation.old, mutation.new].append(mutation.name)
    assert [same for same in names.values() if len(same) > 1] == []


def test_each_changes_one_line_of_a_file_that_still_parses():
    faults = {}
    for mutation in MUTATIONS:
        lines = zip_longest(mutation.old.splitlines(), mutation.new.splitlines())
        changed = sum(old != new for old, new in lines)
        if changed != 1:
            faults[mutation.name] = f"changes {changed} lines"
            continue
        try:
            text = mutation.mutated_file(ROOT).decode("utf-8")
            if mutation.file.endswith(".py"):
                ast.parse(text)
        except (OutdatedError, SyntaxError) as error:
            faults[mutation.name] = str(error)
    assert faults == {}


def test_the_tests_that_should_notice_are_there():
    missing = [
        f"{mutation.name}: {node}"
        for mutation in MUTATIONS
        for node in mutation.tests
        if not there(node)
    ]
    assert missing == []
    assert [mutation.name for mutation in MUTATIONS if not mutation.tests] == []
