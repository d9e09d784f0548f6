"""Today's recipes are resolved once, until anything changes that decides what they hold."""

from __future__ import annotations

import pytest

from experiments.recipe import current, resolve
from experiments.records.cache import CachedStore
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError, UsageError


@pytest.fixture
def resolved(monkeypatch):
    """Return a list that grows by the names of the recipes that are resolved."""
    names, real = [], resolve.resolve

    def counted(name, *others, **more):
        names.append(name)
        return real(name, *others, **more)

    monkeypatch.setattr(resolve, "resolve", counted)
    return names


def write(workspace, name, text):
    (workspace.recipes / f"{name}.yaml").write_text(text, encoding="utf-8")


def now(workspace, overrides=()):
    """Return the recipe as a command sees it that is started now."""
    return CachedStore(Workspace.open(workspace.root)).current_recipe("mine", overrides)


def test_the_second_command_resolves_nothing_and_sees_the_same(workspace, resolved):
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    first = now(workspace)
    assert now(workspace) == first == Store(workspace).current_recipe("mine")
    assert resolved == ["mine", "mine"]  # the plain store keeps nothing
    assert first.values["model"]["variant"] == "v2"
    assert now(workspace, ["train.lr=0.5"]).values["train"]["lr"] == 0.5
    assert now(workspace, ["train.lr=0.25"]).digest != first.digest


def test_a_file_that_it_extends_counts(workspace):
    write(workspace, "base", "extends: smoke\nmodel: {variant: v2}\n")
    write(workspace, "mine", "extends: base\n")
    first = now(workspace)
    write(workspace, "base", "extends: smoke\nmodel: {variant: v2}\ntrain: {epochs: 7}\n")
    assert now(workspace).digest != first.digest
    assert now(workspace).values["train"]["epochs"] == 7


def test_the_device_and_the_data_sets_of_the_workspace_count(workspace):
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\ndata: {root: '/disk/faces'}\n")
    assert now(workspace).values["data"]["root"] == "/disk/faces"
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    text = text.replace("[data]\n", '[data]\nwider = "/disk/faces"\n')
    config.write_text(f'device = "cpu"\n{text}', encoding="utf-8")
    found = now(workspace).values
    assert (found["train"]["device"], found["data"]["root"]) == ("cpu", "wider")


def test_another_state_of_the_program_resolves_anew(workspace, resolved, monkeypatch):
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    now(workspace)
    monkeypatch.setattr(current, "program_digest", lambda: "edited")
    now(workspace)
    assert resolved == ["mine", "mine"]


def test_what_can_not_be_resolved_is_told_every_time(workspace):
    with pytest.raises(NotFoundError):
        now(workspace)
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2, chanels: 3}\n")
    for _ in range(2):
        with pytest.raises(UsageError):
            now(workspace)


def test_an_experiment_with_runs_that_differs_in_case_refuses_it_from_then_on(workspace):
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    now(workspace)
    (workspace.runs / "Mine" / "001").mkdir(parents=True)
    with pytest.raises(UsageError):
        now(workspace)


@pytest.mark.parametrize("damage", ["{", "[]\n", '{"name": "mine"}\n', "\xff\n"])
def test_damaged_lines_are_passed_over(workspace, damage):
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    first = now(workspace)
    (file,) = (workspace.state / "cache" / "current-recipes").iterdir()
    file.write_text(damage, encoding="latin-1")
    assert now(workspace) == first
    assert now(workspace) == first


def test_a_recipe_that_is_saved_while_it_is_resolved_is_not_kept(workspace, monkeypatch):
    write(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    real = current.current_recipe

    def slow(*arguments):
        write(workspace, "mine", "extends: smoke\nmodel: {variant: v1}\n")
        return real(*arguments)

    monkeypatch.setattr(current, "current_recipe", slow)
    now(workspace)
    assert not (workspace.state / "cache" / "current-recipes").exists()
