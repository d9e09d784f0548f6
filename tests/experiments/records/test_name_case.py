"""Names are what is written, also on a disk that knows no upper and lower case."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from experiments.recipe.resolve import resolve
from experiments.records.store import Store
from featherface.errors import NotFoundError, UsageError


@pytest.fixture
def caseless(tmp_path, monkeypatch):
    """Let the disk below `tmp_path` find files whatever the case of their names, as Windows'."""
    listed = os.listdir

    def real(path):
        if not isinstance(path, str | Path) or not Path(path).is_relative_to(tmp_path):
            return path
        found = tmp_path
        for part in Path(path).relative_to(tmp_path).parts:
            there = listed(found) if os.path.lexists(found) else []
            same = [one for one in there if one.casefold() == part.casefold()]
            found = found / (part if part in there or not same else same[0])
        return found

    def blind(function):
        return lambda path, *args, **kwargs: function(real(path), *args, **kwargs)

    for module, names in ((os, ("stat", "listdir", "scandir", "mkdir")), (io, ("open",))):
        for name in names:
            monkeypatch.setattr(module, name, blind(getattr(module, name)))


def test_the_stand_in_knows_no_case(caseless, tmp_path):
    (tmp_path / "Name").mkdir()
    assert (tmp_path / "nAME").is_dir()
    with pytest.raises(FileExistsError):
        (tmp_path / "name").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["Name"]


@pytest.mark.parametrize(
    ("selector", "meant"),
    [("V2@1", "v2@1"), ("V2", "v2"), ("V2@best", "v2@best"), ("BEST", "best")],
)
def test_a_run_is_found_by_its_name_as_written(workspace, make_run, caseless, selector, meant):
    made = make_run(workspace, "v2", labels=("best",))
    store = Store(workspace)
    assert store.find(meant) == made
    with pytest.raises(NotFoundError) as caught:
        store.find(selector)
    assert caught.value.message == f"no run {selector!r}; did you mean {meant!r}?"
    assert store.runs("V2") == []


def test_a_second_experiment_with_the_same_letters_is_refused(workspace, make_run, caseless):
    make_run(workspace, "v2")
    with pytest.raises(UsageError, match="'V2' differs only in case from 'v2'"):
        Store(workspace).allocate("V2")
    (workspace.recipes / "V2.yaml").write_text("extends: v1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'V2' differs only in case from 'v2', which has runs"):
        resolve("V2", workspace)
    assert [path.name for path in workspace.runs.iterdir()] == ["v2"]


def test_a_recipe_with_the_letters_of_a_packaged_one_is_refused_before_its_first_run(workspace):
    (workspace.recipes / "V2.yaml").write_text("extends: v1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'V2' differs only in case from 'v2', a recipe"):
        resolve("V2", workspace)
    assert resolve("v2", workspace).recipe.name == "v2"


def test_an_experiment_of_another_case_is_answered_with_the_one_that_is(workspace):
    with pytest.raises(NotFoundError) as caught:
        resolve("V2-Ultra", workspace)
    assert "did you mean 'v2-ultra'?" in caught.value.message
    assert caught.value.hint == "thesis run v2-ultra"
