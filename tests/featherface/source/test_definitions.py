"""Digests of definitions: made-up packages in two states, which must give one digest or two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featherface.source.cache_entries import entry_path
from featherface.source.definitions import KEPT_PROGRAMS, definition_digest
from featherface.source.packages import Packages

PLOTS = """
    '''Plots.'''
    from __future__ import annotations

    import math
    from typing import TYPE_CHECKING

    import ours.style as look
    from ours.names import titled as title

    if TYPE_CHECKING:
        from ours.records import Record

    SIZE = 4  # points
    MARKERS = {"loss": "o", "ap": "x"}
    UNUSED = 1

    class Canvas:
        '''What is drawn on.'''
        width: int = 7

        def area(self):
            return self.width * scaled(2)

    def draw(record: Record, size: int = SIZE) -> bytes:
        '''Draw RECORD.'''
        from ours.colours import PALETTE

        def inner(colour):
            return look.line(colour), MARKERS["loss"]

        return inner(PALETTE[0]), Canvas().area(), title(record), math.ceil(size)

    def scaled(value):
        return value * 2

    def unused():
        return UNUSED
"""
PROGRAM = {
    "plots": PLOTS,
    "style": "def line(colour):\n    return [colour, dashes()]\n\ndef dashes():\n    return line\n",
    "colours": "BLUE = '#00f'\nPALETTE = (BLUE, '#f00')\n",
    "names": "from ours.words import titled\n",
    "words": "def titled(record):\n    return f'{record!r:>8} of {record.x}' ' runs'\n",
    "records": "class Record:\n    pass\n",
}


def program(root, changes):
    """Write PROGRAM with CHANGES (module -> text, None removes) as the package `ours`."""
    folder = root / "ours"
    folder.mkdir(parents=True)
    modules = {"__init__": "", **PROGRAM, **changes}
    for name, text in modules.items():
        if text is not None:
            path = folder / f"{name.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8", newline="")
    return Packages(root, ("ours",))


def named(module, name):
    """Return something that calls itself NAME of MODULE."""

    def stand_in():
        """Never called: only where it stands is asked for."""

    stand_in.__module__, stand_in.__qualname__ = module, name
    return stand_in


def digest(root, changes=None, name="ours.plots:draw"):
    packages = program(root, changes or {})
    return definition_digest(named(*name.split(":")), packages=packages)


def replaced(module, *pairs):
    """Return PROGRAM's MODULE with each (old, new) of PAIRS put in place."""
    text = dedent(PROGRAM[module])
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return {module: text}


SAME = {
    "a comment": replaced("plots", ("# points", "# of a marker")),
    "a docstring": replaced("plots", ("'''Draw RECORD.'''", "'''Draw it in\n\n    colour.'''")),
    "no docstring": replaced("plots", ("    '''What is drawn on.'''\n", "")),
    "blank lines": replaced("plots", ("def scaled", "\n\n\n\ndef scaled")),
    "another layout": replaced(
        "plots",
        ("SIZE = 4", "SIZE = (\n    4\n)"),
        ('{"loss": "o", "ap": "x"}', "{\n    'loss': 'o',\n    'ap': 'x',\n}"),
        ("return value * 2", "return (value *\n        2)"),
    ),
    "CRLF": {"plots": dedent(PLOTS).replace("\n", "\r\n")},
    "an annotation": replaced("plots", ("record: Record, size: int", "record: object, size")),
    "an import for types": replaced("plots", ("import Record", "import Record as Other")),
    "an alias": replaced(
        "plots", ("ours.style as look", "ours.style as s"), ("look.line", "s.line")
    ),
    "an alias of a function": replaced(
        "plots", ("titled as title", "titled"), ("title(record)", "titled(record)")
    ),
    "an import of the function": replaced(
        "plots", ("import ours.style as look", "from ours.style import line"), ("look.line", "line")
    ),
    "an import of the module's package": replaced(
        "plots",
        ("import ours.style as look", "import ours.style"),
        ("look.line", "ours.style.line"),
    ),
    "a relative import": replaced(
        "plots", ("import ours.style as look", "from . import style as look")
    ),
    "an import that is not lazy": replaced(
        "plots",
        ("    from ours.colours import PALETTE\n", ""),
        ("import math", "import math\nfrom ours.colours import PALETTE"),
    ),
    "no re-export": replaced("plots", ("from ours.names", "from ours.words")),
    "a star": {"names": "from ours.words import *\n"},
    "an unused function": replaced(
        "plots", ("def unused", "def more():\n    return 3\n\ndef unused")
    ),
    "an unused function's body": replaced("plots", ("return UNUSED", "return UNUSED + 1")),
    "an unused constant": replaced("plots", ("UNUSED = 1", "UNUSED = 2")),
    "a class that only types": {"records": "class Record:\n    field = 1\n"},
    "another order": {"colours": "PALETTE = (BLUE, '#f00')\nBLUE = '#00f'\n"},
    "a renamed constant": {"colours": "B = '#00f'\nPALETTE = (B, '#f00')\n"},
    "a renamed function": replaced("plots", ("scaled(2)", "grown(2)"), ("def scaled", "def grown")),
    "a renamed module": {
        **replaced("plots", ("ours.colours", "ours.paints")),
        "colours": None,
        "paints": PROGRAM["colours"],
    },
    "a module moved into a folder": {
        **replaced("plots", ("ours.style", "ours.look.style")),
        "style": None,
        "look.__init__": "",
        "look.style": PROGRAM["style"],
    },
    "a function moved to another module": {
        "colours": PROGRAM["colours"] + PROGRAM["words"],
        "words": None,
        "names": "from ours.colours import titled\n",
    },
    "a split f-string": {
        "words": "def titled(record):\n    return (f'{record!r:>8}'\n  f' of {record.x} runs')\n"
    },
    "a kind of quotes": {
        "words": 'def titled(record):\n    return f"{record!r:>8} of {record.x}" " runs"\n'
    },
    "a pass beside a docstring": replaced(
        "plots", ("'''What is drawn on.'''", "'''What is drawn on.'''\n    pass")
    ),
}
DIFFERENT = {
    "its own body": replaced("plots", ("PALETTE[0]", "PALETTE[1]")),
    "a default": replaced("plots", ("size: int = SIZE", "size: int = 5")),
    "a parameter's name": replaced(
        "plots", ("size: int", "points: int"), ("ceil(size", "ceil(points")
    ),
    "a constant": replaced("plots", ("SIZE = 4", "SIZE = 5")),
    "a constant of another kind": replaced("plots", ("SIZE = 4", "SIZE = 4.0")),
    "a table's entry": replaced("plots", ('"ap": "x"', '"ap": "v"')),
    "a new entry": replaced("plots", ('"ap": "x"', '"ap": "x", "f": "v"')),
    "a table that is filled later": replaced("plots", ("UNUSED = 1", "MARKERS['f'] = 'v'")),
    "a table that is widened": replaced("plots", ("UNUSED = 1", "MARKERS |= {'f': 'v'}")),
    "a table that a loop fills": replaced("plots", ("UNUSED = 1", "for n in 'f': MARKERS[n] = n")),
    "a call at the module's top": replaced("plots", ("UNUSED = 1", "math.seed(1)")),
    "a method": replaced("plots", ("return self.width *", "return self.width +")),
    "a field": replaced("plots", ("width: int = 7", "width: int = 8")),
    "a field's annotation": replaced("plots", ("width: int = 7", "width: ClassVar = 7")),
    "a new method": replaced(
        "plots", ("    def area", "    def __eq__(self, other): ...\n\n    def area")
    ),
    "a base": replaced("plots", ("class Canvas:", "class Canvas(dict):")),
    "what a method calls": replaced("plots", ("value * 2", "value * 3")),
    "a lazily imported constant": {"colours": PROGRAM["colours"].replace("#f00", "#f01")},
    "what a constant names": {"colours": PROGRAM["colours"].replace("#00f", "#00e")},
    "a function of a module": {"style": PROGRAM["style"].replace("[colour,", "[0,")},
    "in a circle": {"style": PROGRAM["style"].replace("return line", "return line, 1")},
    "behind a re-export": {"words": PROGRAM["words"].replace(">8", ">9")},
    "an f-string's conversion": {"words": PROGRAM["words"].replace("!r", "!s")},
    "an f-string's text": {"words": PROGRAM["words"].replace("' runs'", "' run'")},
    "a decorator": replaced("plots", ("def scaled", "@math.cache\ndef scaled")),
    "another library's function": replaced("plots", ("import math", "import cmath as math")),
    "an optional import": replaced(
        "plots",
        (
            "    def inner",
            "    try:\n        import h5py\n    except ImportError: ...\n    def inner",
        ),
    ),
    "a class's name": replaced("plots", ("class Canvas", "class Sheet"), ("Canvas()", "Sheet()")),
    "what shadows a global": replaced(
        "plots", ("def inner(colour)", "def inner(colour, look=math)")
    ),
}


@pytest.mark.parametrize("change", SAME)
def test_what_does_nothing_gives_the_same_digest(tmp_path, change):
    assert digest(tmp_path / "after", SAME[change]) == digest(tmp_path / "before")


@pytest.mark.parametrize("change", DIFFERENT)
def test_what_does_something_gives_another_digest(tmp_path, change):
    assert digest(tmp_path / "after", DIFFERENT[change]) != digest(tmp_path / "before")


def test_every_change_that_counts_gives_a_digest_of_its_own(tmp_path):
    digests = [digest(tmp_path / str(at), change) for at, change in enumerate(DIFFERENT.values())]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        # A local name hides what is called so at the top.
        ("def f(g):\n    return g()", "def f(g):\n    return g()\n\ndef g(): return 2", True),
        ("def f():\n    g = 1\n    return g", "def f():\n    g = 1\n    return g\ng = 3", True),
        # One of another scope doesn't.
        ("def f():\n    h = lambda g: g\n    return g", "", False),
        ("def f():\n    return [g for g in g()]", "", False),
        ("def f():\n    return g, [g for g in ()]", "", False),
        ("def f():\n    global g\n    return g", "", False),
        ("class f:\n    g = 1\n    def method(self): return g()", "", False),
        ("def f():\n    def h():\n        g = 1\n    return g", "", False),
        ("def f():\n    try: ...\n    except OSError as e: ...\n    return g(e)", "", False),
        ("def f(x):\n    match x:\n        case g(): return 1", "", False),
        # A comprehension's name, a walrus and a pattern are local.
        ("def f():\n    return [g for g in ()]", "", True),
        ("def f():\n    return [(g := h) for h in ()], g", "", True),
        ("def f(x):\n    match x:\n        case {'a': g, **h}: return g", "", True),
        ("def f():\n    with open('x') as g: return g", "", True),
    ],
)
def test_a_name_leads_where_python_finds_it(tmp_path, before, after, same):
    """`g` of the module is changed; where AFTER is empty, BEFORE stands beside both."""
    one = f"{before}\ndef g(): return 1\n" if not after else f"{before}\n"
    other = after or f"{before}\ndef g(): return 2\n"
    first = digest(tmp_path / "1", {"plots": one}, "ours.plots:f")
    second = digest(tmp_path / "2", {"plots": other}, "ours.plots:f")
    assert (first == second) is same


def test_the_numbering_tells_which_of_two_is_meant(tmp_path):
    """Two references that change places are another program, though the same parts are in it."""
    text = "A = 1\nB = 2\ndef f():\n    return {}\n"
    first = digest(tmp_path / "1", {"plots": text.format("A - B")}, "ours.plots:f")
    assert digest(tmp_path / "2", {"plots": text.format("B - A")}, "ours.plots:f") != first


def test_targets_of_one_assignment_are_told_apart(tmp_path):
    text = "{} = 1, 2\ndef f():\n    return A\n"
    first = digest(tmp_path / "1", {"plots": text.format("A, B")}, "ours.plots:f")
    assert digest(tmp_path / "2", {"plots": text.format("B, A")}, "ours.plots:f") != first


def test_functions_of_one_statement_are_told_apart(tmp_path):
    text = "if True:\n    def {}(): return 1\n    def {}(): return 2\ndef f():\n    return a()\n"
    first = digest(tmp_path / "1", {"plots": text.format("a", "b")}, "ours.plots:f")
    assert digest(tmp_path / "2", {"plots": text.format("b", "a")}, "ours.plots:f") != first


def test_a_module_as_a_value_counts_whole(tmp_path):
    uses = {"plots": "from ours import colours\ndef f(name):\n    return getattr(colours, name)\n"}
    first = digest(tmp_path / "1", uses, "ours.plots:f")
    more = uses | {"colours": PROGRAM["colours"] + "GREEN = '#0f0'\n"}
    assert digest(tmp_path / "2", more, "ours.plots:f") != first


def test_alternatives_of_an_import_count_both(tmp_path):
    text = "try:\n    from ours.colours import BLUE\nexcept ImportError:\n    BLUE = {}\n"
    text += "def f():\n    return BLUE\n"
    first = digest(tmp_path / "1", {"plots": text.format(1)}, "ours.plots:f")
    assert digest(tmp_path / "2", {"plots": text.format(2)}, "ours.plots:f") != first
    colours = {"plots": text.format(1), "colours": "BLUE = 'navy'\n"}
    assert digest(tmp_path / "3", colours, "ours.plots:f") != first


def test_imports_in_a_circle_end(tmp_path):
    circle = {
        "plots": "from ours.names import a\ndef f():\n    return a\n",
        "names": "from ours.words import a\n",
        "words": "from ours.names import a\n",
    }
    assert digest(tmp_path, circle, "ours.plots:f")


@pytest.mark.parametrize("text", ["def line(:", "\0", "line = '"])
def test_a_module_that_is_no_python_makes_all_of_the_program_count(tmp_path, text):
    """Nothing that was kept is found, and the one who needs that module is told by Python."""
    first = digest(tmp_path / "1", {"style": text})
    assert digest(tmp_path / "2", {"style": text}) == first
    other = {"style": text, **replaced("plots", ("UNUSED = 1", "UNUSED = 2"))}
    assert len({first, digest(tmp_path / "3", other), digest(tmp_path / "4")}) == 3
    unreached = {"records": "class Record(:"}
    assert digest(tmp_path / "5", unreached) == digest(tmp_path / "6")


def test_a_method_stands_for_its_class(tmp_path):
    packages = program(tmp_path, {})
    whole = definition_digest(named("ours.plots", "Canvas"), packages=packages)
    assert definition_digest(named("ours.plots", "Canvas.area"), packages=packages) == whole


@pytest.mark.parametrize("name", ["ours.plots:missing", "ours.missing:draw", "json:dumps"])
def test_what_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(LookupError):
        digest(tmp_path, name=name)


def test_an_inner_function_has_no_digest(tmp_path):
    with pytest.raises(LookupError):
        entry_path(tmp_path / "figures", lambda: None, [])


def test_all_versions_of_python_give_this_digest(tmp_path):
    """Written down once: CI runs it on each version, whose syntax trees and f-strings differ."""
    known = "ce6bb9"
    assert digest(tmp_path)[:6] == known


REAL = (
    "featherface.model_summary.description:describe",
    "experiments.plotting.run_plots:loss_curves",
    "vault_sync.commands.sync:sync",
)


def test_digests_are_the_same_in_another_process(tmp_path):
    """Whatever order its sets have there: of our own program, and of a module as a whole."""
    whole = "import ours.plots\ndef f():\n    return ours.plots\n"
    packages = program(tmp_path, {"whole": whole})
    code = f"""if True:
        import json
        from pathlib import Path
        from featherface.source.definitions import definition_digest
        from featherface.source.packages import OURS, Packages
        digests = []
        for name in {(*REAL, "ours.whole:f")!r}:
            def f(): ...
            f.__module__, f.__qualname__ = name.split(":")
            made_up = Packages(Path({str(tmp_path)!r}), ("ours",))
            packages = made_up if name.startswith("ours.") else OURS
            digests.append(definition_digest(f, packages=packages))
        print(json.dumps(digests))"""
    here = [definition_digest(named(*name.split(":"))) for name in REAL]
    here.append(definition_digest(named("ours.whole", "f"), packages=packages))
    assert len(set(here)) == len(here)
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        answer = subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment
        )
        assert json.loads(answer.stdout) == here, seed


class TestKept:
    """Digests that are remembered in a folder until the source changes."""

    def test_they_are_read_again(self, tmp_path):
        packages = program(tmp_path, {})
        kept = tmp_path / "code"
        first = definition_digest(named("ours.plots", "draw"), kept, packages)
        (file,) = kept.iterdir()
        assert json.loads(file.read_text(encoding="utf-8")) == {"ours.plots:draw": first}
        definition_digest(named("ours.plots", "scaled"), kept, packages)
        assert len(json.loads(file.read_text(encoding="utf-8"))) == 2

    @pytest.mark.parametrize("text", ["{", "[]", '{"ours.plots:draw": "no digest"}', "\x00", "1"])
    def test_a_damaged_file_is_made_anew(self, tmp_path, text):
        packages = program(tmp_path, {})
        draw = named("ours.plots", "draw")
        folders = [tmp_path / "one", tmp_path / "other"]
        digest_first = definition_digest(draw, folders[0], packages)
        (file,) = folders[0].iterdir()
        folders[1].mkdir()
        (folders[1] / file.name).write_text(text, encoding="utf-8")
        assert definition_digest(draw, folders[1], packages) == digest_first
        assert (folders[1] / file.name).read_text() == file.read_text()

    def test_a_folder_that_can_not_be_written_costs_nothing_else(self, tmp_path):
        packages = program(tmp_path, {})
        (tmp_path / "code").write_text("in the way", encoding="utf-8")
        draw = named("ours.plots", "draw")
        kept = definition_digest(draw, tmp_path / "code", packages)
        assert kept == definition_digest(draw, packages=packages)

    def test_only_the_latest_programs_are_kept(self, tmp_path):
        kept = tmp_path / "code"
        for at in range(KEPT_PROGRAMS + 3):
            changed = {"colours": f"BLUE = {at}\nPALETTE = (BLUE,)\n"}
            packages = program(tmp_path / str(at), changed)
            definition_digest(named("ours.plots", "draw"), kept, packages)
        assert len(list(kept.iterdir())) == KEPT_PROGRAMS

    def test_threads_at_once_agree(self, tmp_path):
        packages = program(tmp_path, {})
        given_digests = []

        def ask(at):
            draw = named("ours.plots", "draw")
            given_digests.append(definition_digest(draw, tmp_path / f"code{at % 2}", packages))

        threads = [threading.Thread(target=ask, args=(at,)) for at in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(given_digests) == 6
        assert len(set(given_digests)) == 1


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=8)
LITERALS = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.tuples(SCALARS, st.lists(SCALARS, max_size=2))
    | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(LITERALS, LITERALS)
def test_constants_have_one_digest_exactly_if_they_are_written_alike(tmp_path_factory, one, other):
    root = tmp_path_factory.mktemp("literals")
    digests = [
        digest(root / str(at), {"plots": f"def f():\n    return {value!r}\n"}, "ours.plots:f")
        for at, value in enumerate((one, other))
    ]
    assert (digests[0] == digests[1]) == (repr(one) == repr(other))
