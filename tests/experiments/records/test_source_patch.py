"""source.patch holds the code that ran: no diary, no earlier run, no secret."""

import random
import string
import subprocess

import pytest

from experiments.recipe.resolve import resolve
from experiments.records import source_patch
from experiments.records.run import RECIPE
from experiments.running import execution, runner
from experiments.workspace.workspace import Workspace

DRAW = random.Random(7)
WORD = "7" + "".join(DRAW.choice(string.ascii_letters) for _ in range(13))
TOKEN = "ghp_" + WORD * 2


def git(folder, *arguments):
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-b", "main")
    write(folder / "code.py", "one = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Begin")
    return folder


@pytest.fixture
def workspace(repository):
    """A workspace in the repository of the code, with a diary, an earlier run and pictures."""
    workspace = Workspace.create(repository / "thesis")
    (repository / "thesis" / ".gitignore").unlink()
    config = repository / "thesis" / "thesis.toml"
    write(config, config.read_text(encoding="utf-8").replace("[data]", "[data]\nown = '../own'"))
    write(workspace.vault / "Diary.md", "my diary\n")
    write(workspace.root / "diary.md", "my diary\n")
    write(workspace.runs / "v1" / "001" / "metrics.jsonl", "an earlier run\n" * 9_000)
    write(workspace.state / "index.json", "an earlier run\n")
    write(repository / "own" / "list.csv", "an annotation\n")
    write(workspace.recipes / "mine.yaml", "extends: smoke\n")
    return Workspace.open(workspace.root)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def of(workspace, monkeypatch, name="smoke", overrides=()):
    """Return the state of the repository that WORKSPACE lies in, as a run of it would."""
    monkeypatch.setattr(source_patch, "__file__", str(workspace.root.parent / "code.py"))
    return source_patch.code_state(workspace, resolve(name, workspace, overrides).recipe)


def test_a_clean_repository(repository):
    git(repository, "remote", "add", "origin", f"https://me:{TOKEN}@host.org/x.git")
    state = source_patch.source(repository)
    assert len(state.git.commit) == 40
    assert (state.git.branch, state.git.dirty, state.patch) == ("main", False, "")
    assert state.git.remote == "https://host.org/x.git"


def test_changes_and_new_files_are_in_the_patch(repository):
    write(repository / "code.py", "one = 2\n")
    write(repository / "new.py", "été = 1\n")
    write(repository / ".env", "TOKEN=abc\n")
    write(repository / "large.txt", "x" * 300_000)
    (repository / "binary").write_bytes(bytes(range(256)))
    state = source_patch.source(repository)
    assert state.git.dirty
    assert "+one = 2" in state.patch
    assert "+été = 1" in state.patch
    assert "TOKEN" not in state.patch
    assert "xxxx" not in state.patch
    assert state.git.patch == (
        "source.patch, without .env (may hold a secret), binary (no text),"
        " large.txt (300,000 bytes)"
    )
    git(repository, "stash")
    (repository / "new.py").unlink()
    subprocess.run(["git", "apply", "-"], cwd=repository, input=state.patch.encode(), check=True)
    assert (repository / "new.py").read_text(encoding="utf-8") == "été = 1\n"


def test_new_files_of_the_whole_repository_are_in_the_patch(repository):
    write(repository / "core" / "loss.py", "two = 2\n")
    write(repository / "experiments" / "records" / "own.py", "three = 3\n")
    patch = source_patch.source(repository / "experiments" / "records").patch
    assert "+++ b/core/loss.py" in patch
    assert "+++ b/experiments/records/own.py" in patch


def test_vault_runs_and_state_stay_out_of_the_patch(repository, workspace, monkeypatch):
    write(repository / "code.py", "one = 2\n")
    state = of(workspace, monkeypatch)
    assert "+one = 2" in state.patch
    assert "+extends: smoke" in state.patch
    for word in ("diary", "an earlier run", "an annotation"):
        assert word not in state.patch


def test_they_stay_out_though_git_has_them(repository, workspace, monkeypatch):
    git(repository, "add", "-A", "-f")
    git(repository, "commit", "-m", "Keep everything")
    write(workspace.vault / "Diary.md", "another day of my diary\n")
    write(workspace.runs / "v1" / "001" / "metrics.jsonl", "an earlier run, changed\n")
    state = of(workspace, monkeypatch)
    assert (state.git.dirty, state.patch) == (False, "")


def test_the_data_that_a_recipe_names_stay_out_of_the_patch(repository, workspace, monkeypatch):
    write(repository / "pictures" / "list.csv", "an annotation\n")
    write(repository / "code.py", "one = 2\n")
    folder = str(repository / "pictures")
    assert "annotation" in of(workspace, monkeypatch).patch
    assert "annotation" not in of(workspace, monkeypatch, overrides=[f"data.root={folder}"]).patch


def test_code_comes_first_under_the_limit_and_the_dropped_is_named(repository, monkeypatch):
    write(repository / "code.py", "one = 2\n")
    write(repository / "a-list.csv", "1,2\n" * 140)
    write(repository / "new.py", "two = 2\n")
    monkeypatch.setattr(source_patch, "PATCH_LIMIT", 1_000)
    state = source_patch.source(repository)
    assert "+one = 2" in state.patch
    assert "+two = 2" in state.patch
    assert "1,2" not in state.patch
    assert state.git.patch.startswith("source.patch, without a-list.csv (")


def test_a_patch_over_the_bound_is_named_not_kept(repository, monkeypatch):
    monkeypatch.setattr(source_patch, "PATCH_LIMIT", 10)
    write(repository / "code.py", "one = 2\n")
    state = source_patch.source(repository)
    assert state.patch == ""
    assert state.git.patch.startswith("not kept: code.py (")


def test_of_many_dropped_files_the_number_is_told(repository):
    for number in range(30):
        (repository / f"{number:02}.bin").write_bytes(b"\0\xff")
    assert source_patch.source(repository).git.patch.endswith(" and 10 more")


def test_a_file_that_git_knows_and_that_holds_a_secret_stays_out(repository):
    write(repository / ".env", "A=1\n")
    git(repository, "add", "-f", ".env")
    git(repository, "commit", "-m", "Keep it")
    write(repository / ".env", f"A={WORD}\n")
    state = source_patch.source(repository)
    assert WORD not in state.patch
    assert ".env (may hold a secret)" in state.git.patch


@pytest.mark.parametrize("line", [f'send("{TOKEN}")', f'API_TOKEN = "{WORD}"'])
def test_a_secret_in_the_code_stays_out_of_the_patch(repository, line):
    write(repository / "code.py", f"one = 2\n{line}\n")
    write(repository / "new.py", f"{line}\ntwo = 2\n")
    patch = source_patch.source(repository).patch
    assert WORD not in patch
    assert patch.count("[removed]") == 2
    assert "+one = 2" in patch
    assert "+two = 2" in patch


def test_an_unquoted_word_is_a_variable_in_code_and_a_secret_elsewhere(repository):
    write(repository / "new.py", "password = typed\n")
    write(repository / "own.ini", "password = typed\n")
    patch = source_patch.source(repository).patch
    assert patch.count("+password = typed") == 1
    assert patch.count("+password = [removed]") == 1


def test_no_repository_and_no_git(tmp_path, monkeypatch):
    assert source_patch.source(tmp_path).git.commit == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert source_patch.source(tmp_path).git.commit == ""


def test_no_door_of_a_record_lets_a_secret_in(tmp_path, monkeypatch):
    """Title, hypothesis, tags, overrides, command line, log, events, details, errors, packages."""
    workspace = Workspace.create(tmp_path / "thesis")
    secret = f"password = {WORD}"
    write(
        workspace.recipes / "mine.yaml",
        f"extends: smoke\ntitle: {TOKEN}\nhypothesis: '{secret}'\ntags: ['{TOKEN}', plain]\n",
    )
    state = source_patch.SourceState(source_patch.Git(commit="0" * 40, branch="main"))
    monkeypatch.setattr(execution, "code_state", lambda *_: state)
    monkeypatch.setattr(execution.provenance, "environment", lambda: f"{secret}\n")

    def stage(context):
        context.on_message(f"saying {secret}")
        context.on_event({"kind": "note", "text": f"Authorization: Bearer {WORD}"})
        return execution.StageResult(details={"deep": [TOKEN]}, warnings=(f"warned of {secret}",))

    monkeypatch.setitem(execution.TABLE, "benchmark", stage)
    monkeypatch.setattr(runner.preflight, "check", lambda *_: ())
    typed = ["thesis", "run", "mine", "--set", f"title={TOKEN}"]
    resolved = resolve("mine", workspace, [f"title={TOKEN}"])
    run = runner.run(workspace, resolved, stages=("benchmark",), argv=typed)
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert [path.name for path in files if WORD.encode() in path.read_bytes()] == []
    record = run.record
    assert record.git.commit == "0" * 40
    assert (record.title, record.tags) == ("[removed]", ("[removed]", "plain"))
    assert record.overrides == ('title="[removed]"',)
    assert 'title: "[removed]"' in (run.folder / RECIPE).read_text(encoding="utf-8")


def test_a_run_whose_title_held_a_secret_can_be_gone_on_with(tmp_path, monkeypatch):
    workspace = Workspace.create(tmp_path / "thesis")
    outcomes = iter([KeyboardInterrupt, None])

    def stage(_):
        if outcome := next(outcomes):
            raise outcome
        return execution.StageResult()

    monkeypatch.setitem(execution.TABLE, "benchmark", stage)
    monkeypatch.setattr(runner.preflight, "check", lambda *_: ())
    resolved = resolve("smoke", workspace, [f"title={TOKEN}"])
    with pytest.raises(KeyboardInterrupt):
        runner.run(workspace, resolved, stages=("benchmark",))
    run = runner.run(workspace, resolved, stages=("benchmark",), mode="resume")
    assert (run.id, run.sealed) == ("smoke@1", True)
