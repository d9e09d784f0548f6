"""The script that attacks a finished workspace, without making one."""

import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "evidence.py"


@pytest.fixture
def evidence(monkeypatch):
    """The script as a module."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    for name in [one for one in sys.modules if one.startswith("evidence")]:
        monkeypatch.delitem(sys.modules, name)
    import evidence  # noqa: PLC0415 - found through the path above

    return evidence


@pytest.fixture
def workspace(tmp_path, thesis_workspace):
    """A workspace with a sealed record of v2 at runs/v2/001."""
    return thesis_workspace(tmp_path / "thesis")


@pytest.fixture
def thesis_workspace(make_run):
    from experiments.workspace.workspace import Workspace  # noqa: PLC0415 - of this test alone

    def made(root):
        workspace = Workspace.create(root)
        make_run(workspace, "v1", matches=True)
        make_run(workspace, "v2", matches=True)
        return workspace.root

    return made


def test_there_are_sixty_attacks_and_twenty_honest_operations_of_different_names(evidence):
    names = [case.name for case in (*evidence.ATTACKS, *evidence.HONEST)]
    assert len(evidence.ATTACKS) >= 60
    assert len(evidence.HONEST) >= 20
    assert len(set(names)) == len(names)


def answer(evidence, code=0, data=None, said=()):
    return evidence.Answer(code, data, frozenset(said))


def test_a_verb_notices_by_its_code_its_claims_or_a_new_warning(evidence):
    before = answer(evidence, data=[{"milestone": "small", "state": "pass"}], said=["known"])

    def word(verb, after):
        return evidence.judge(verb, before, after, "small").word

    assert word("verify", answer(evidence, 1)) == "refused"
    assert word("verify", answer(evidence, said=["known"])) == "silent"
    assert word("verify", answer(evidence, said=["known", "v2@1 was changed"])) == "told"
    assert word("milestone", before) == "silent"
    failed = answer(evidence, data=[{"milestone": "small", "state": "stale"}])
    assert word("milestone", failed) == "told"


def test_a_row_says_who_was_silent_and_who_refused(evidence):
    row = evidence.Row("edit: it", False, {}, ("verify",), "sealed again")
    assert row.outcome == "PASSED WRONGLY: verify, sealed again"
    assert evidence.Row("honest: it", True, {}, ("sync",)).outcome == "REFUSED WRONGLY: sync"
    assert evidence.Row("honest: it", True, {}, ()).outcome == "ok"


def test_each_edit_of_a_record_is_noticed_by_verify(evidence, workspace, tmp_path):
    case = next(case for case in evidence.ATTACKS if case.name == "edit: results.json")
    copies = [evidence.copied(workspace, tmp_path / name) for name in ("before", "after")]
    assert case.change(copies[1]) is None
    codes = [evidence.call(copy, "runs", "verify").code for copy in copies]
    assert codes == [0, 1]
