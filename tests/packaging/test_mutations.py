"""`dev.py mutate` on a project made up for it: what counts as noticed, and what does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mutations import __main__ as command
from mutations.catalogue import CatalogueError, Mutation, OutdatedError, choose, read_catalogue
from mutations.checking import MutationCheck, MutationResult
from mutations.source_copy import ForeignImportError, SourceCopy

TESTS = Path(__file__).resolve().parents[1]
SOURCE = """
def largest(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best


def halvings(number):
    count = 0
    while number > 1:
        number //= 2
        count += 1
    return count
"""
CHECKS = """
import pytest
from arithmetic import halvings, largest

def test_largest():
    assert largest([1, 3, 2]) == 3

def test_halvings():
    assert halvings(8) == 3

@pytest.mark.slow
def test_first_of_equals():
    first = [1]
    assert largest([first, [1]]) is first
"""
WRONG = """
def test_that_fails_anyway():
    assert False
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A package, its tests, and bytecode that must not be run in place of a changed source."""
    root = tmp_path_factory.mktemp("project")
    for name, text in {
        "arithmetic/__init__.py": SOURCE,
        "tests/test_arithmetic.py": CHECKS,
        "tests/test_wrong.py": WRONG,
        "pytest.ini": "[pytest]\nmarkers =\n    slow\n    data\n",
        ".venv/pyvenv.cfg": "",
        "environment/pyvenv.cfg": "",
    }.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "compileall", "-q", root / "arithmetic"], check=True)
    return root


def fault(name, old, new, *tests, file="arithmetic/__init__.py"):
    tests = tests or ("tests/test_arithmetic.py",)
    return Mutation(name=name, room="made-up", file=file, old=old, new=new, tests=tests)


SMALLEST = fault("smallest", "value > best", "value < best")
ASLEEP = "__import__('time').sleep(600)"  # a loop without end would use a core as long
HANG = fault("hang", "number //= 2", ASLEEP, "tests/test_arithmetic.py::test_halvings")


def results(project, *mutations, timeout=300.0, jobs=1):
    said = []
    found = MutationCheck(project, jobs, timeout).results(mutations, said.append)
    assert {result.mutation.name for result in said} == {one.name for one in mutations}
    return {result.mutation.name: (result.status, result.detail) for result in found}


def test_what_becomes_of_each_fault(project):
    found = results(
        project,
        SMALLEST,
        fault("broken", "return best", "return (best"),
        fault("last-of-equals", "value > best", "value >= best"),  # only a slow test notices
        fault("gone", "value > worst", "value < worst"),
        fault("twice", "count", "amount"),
        fault("same", "value > best", "value > best"),
        fault("no-file", "value", "values", file="arithmetic/none.py"),
        fault("wrong", "value > best", "value < best", "tests/test_wrong.py"),
        fault("unselected", "> best", "< best", "tests/test_arithmetic.py::test_first_of_equals"),
        jobs=2,
    )
    first = "tests/test_arithmetic.py::test_largest"
    assert found["smallest"] == ("killed", first)
    assert found["broken"] == ("killed", "tests/test_arithmetic.py")
    assert found["last-of-equals"] == ("survived", "")
    text = "its old text stands {} times in arithmetic/__init__.py, not once"
    assert found["gone"] == ("outdated", text.format(0))
    assert found["twice"] == ("outdated", text.format(3))
    assert found["same"] == ("outdated", "its new text is its old text")
    assert found["no-file"] == ("outdated", "there is no file arithmetic/none.py")
    anyway = "fails without the fault: tests/test_wrong.py::test_that_fails_anyway"
    assert found["wrong"] == ("unsound", anyway)
    assert found["unselected"] == ("unsound", "no default test is selected")
    assert (project / "arithmetic/__init__.py").read_text(encoding="utf-8") == SOURCE


def test_a_hang_is_noticed_and_ended(project):
    assert results(project, HANG, timeout=4.0) == {"hang": ("killed", "hang: no end within 4 s")}


def test_a_copy_holds_neither_bytecode_nor_environments(project, tmp_path):
    copy = SourceCopy(tmp_path, project)
    names = {path.relative_to(copy.tree).as_posix() for path in copy.tree.rglob("*")}
    assert "arithmetic/__init__.py" in names
    assert not {name for name in names if "pycache" in name or "pyvenv" in name}


def test_a_fault_is_taken_back_and_leaves_no_bytecode(project, tmp_path):
    copy = SourceCopy(tmp_path, project)
    with copy.mutated(SMALLEST):
        assert "value < best" in (copy.tree / SMALLEST.file).read_text(encoding="utf-8")
        assert copy.pytest(SMALLEST.tests, 300.0).noticed
    assert (copy.tree / SMALLEST.file).read_text(encoding="utf-8") == SOURCE
    assert not list(copy.tree.rglob("__pycache__"))


def test_packages_from_elsewhere_are_refused(project, tmp_path):
    copy = SourceCopy(tmp_path, project)
    copy.check_imports(["arithmetic"])
    with pytest.raises(ForeignImportError, match=r"json.__init__\.py would be tested"):
        copy.check_imports(["json"])


LISTED = """
[[mutation]]
name = "smallest"
file = "arithmetic/__init__.py"
old = "value > best"
new = "value < best"
tests = ["tests/test_arithmetic.py"]

[[mutation]]
name = "last-of-equals"
file = "arithmetic/__init__.py"
old = "value > best"
new = "value >= best"
tests = ["tests/test_arithmetic.py"]
why = "equal values are the same number"
"""


@pytest.fixture
def listed(tmp_path, project):
    (tmp_path / "arithmetic.toml").write_text(LISTED, encoding="utf-8")
    return ["--root", str(project), "--catalogue", str(tmp_path), "--jobs", "1"]


def test_the_table_and_the_exit_code(listed, tmp_path, capsys):
    answer = tmp_path / "answer.json"
    assert command.main([*listed, "--json", str(answer)]) == 1
    killed, survived, _, total, verdict = capsys.readouterr().out.splitlines()
    assert "smallest" in killed
    assert "killed by tests/test_arithmetic.py::test_largest" in killed
    assert "SURVIVED equal values are the same number" in survived
    assert total.startswith("2 faults: 1 killed, 1 survived; 50.0% killed")
    assert verdict == "less than 95% killed"
    content = json.loads(answer.read_text(encoding="utf-8"))
    assert [(one["name"], one["status"]) for one in content] == [
        ("smallest", "killed"),
        ("last-of-equals", "survived"),
    ]


@pytest.mark.parametrize(
    ("statuses", "enough"),
    [
        (["killed"] * 20, True),
        (["killed"] * 19 + ["survived"], True),
        (["killed"] * 18 + ["survived"] * 2, False),
        (["killed"] * 19 + ["outdated"], False),
        (["killed"] * 19 + ["unsound"], False),
    ],
)
def test_nineteen_of_twenty_must_be_noticed_and_all_be_tried(statuses, enough):
    results = [MutationResult(mutation=HANG, status=status, detail="") for status in statuses]
    assert command.passed(results) == enough


def test_the_list_runs_nothing(listed, capsys):
    assert command.main([*listed, "--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["smallest", "last-of-equals"]


def test_what_is_not_in_the_list_is_said(listed, capsys):
    assert command.main([*listed, "largest"]) == 2
    assert "no mutation 'largest'" in capsys.readouterr().err
    assert command.main([*listed, "--room", "losses"]) == 2
    assert "there are: arithmetic" in capsys.readouterr().err


def test_a_malformed_list_names_the_entry(tmp_path):
    (tmp_path / "one.toml").write_text(LISTED.replace("new =", "news ="), encoding="utf-8")
    with pytest.raises(CatalogueError, match="smallest must have"):
        read_catalogue(tmp_path)
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(LISTED, encoding="utf-8")
    with pytest.raises(CatalogueError, match="given twice: last-of-equals, smallest"):
        read_catalogue(tmp_path)


def test_names_and_rooms_choose():
    other = Mutation(name="x", room="other", file="a.py", old="a", new="b", tests=("t.py",))
    assert choose([SMALLEST, HANG, other], ["hang"], "") == [HANG]
    assert choose([SMALLEST, HANG, other], [], "other") == [other]
    with pytest.raises(OutdatedError):
        other.mutated("c")


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no interrupt to one process")
def test_an_interrupt_ends_all_and_removes_the_copies(project, tmp_path):
    catalogue, scratch = tmp_path / "list", tmp_path / "scratch"
    catalogue.mkdir()
    scratch.mkdir()
    endless = LISTED.split("\n\n", maxsplit=1)[0].replace("value > best", "number //= 2")
    endless = endless.replace("value < best", "number //= 1")
    (catalogue / "arithmetic.toml").write_text(endless, encoding="utf-8")
    check = [sys.executable, "-m", "mutations", "--root", project, "--catalogue", catalogue]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *check],  # as a shell's background jobs
        env={**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
    )
    source = Path("worker-0/tree/arithmetic/__init__.py")
    while not any("//= 1" in path.read_text("utf-8") for path in scratch.glob(f"*/{source}")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert b"interrupted" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert not list(scratch.iterdir())
