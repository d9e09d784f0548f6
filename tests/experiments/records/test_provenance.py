"""The record says which code ran, and never a secret."""

import contextlib
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.records import provenance


def git(folder, *arguments):
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-b", "main")
    (folder / "code.py").write_text("one = 1\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Begin")
    return folder


def test_a_clean_repository(repository):
    git(repository, "remote", "add", "origin", "https://me:ghp_0123456789abcdefghij@host.org/x.git")
    found = provenance.source(repository)
    assert len(found.git.commit) == 40
    assert (found.git.branch, found.git.dirty, found.patch) == ("main", False, "")
    assert found.git.remote == "https://host.org/x.git"


def test_changes_and_new_files_are_in_the_patch(repository):
    (repository / "code.py").write_text("one = 2\n", encoding="utf-8")
    (repository / "new.py").write_text("été = 1\n", encoding="utf-8")
    (repository / ".env").write_text("TOKEN=abc\n", encoding="utf-8")
    (repository / "large.txt").write_text("x" * 300_000, encoding="utf-8")
    (repository / "binary").write_bytes(bytes(range(256)))
    found = provenance.source(repository)
    assert found.git.dirty
    assert "+one = 2" in found.patch
    assert "+été = 1" in found.patch
    assert "TOKEN" not in found.patch
    assert "xxxx" not in found.patch
    git(repository, "stash")
    (repository / "new.py").unlink()
    subprocess.run(["git", "apply", "-"], cwd=repository, input=found.patch.encode(), check=True)
    assert (repository / "new.py").read_text(encoding="utf-8") == "été = 1\n"


def test_a_token_of_a_known_shape_stays_out_of_the_patch_wherever_it_stands(repository):
    (repository / "code.py").write_text('send("ghp_0123456789abcdefghij")\n', encoding="utf-8")
    patch = provenance.source(repository).patch
    assert '+send("[removed]")' in patch
    assert "ghp_" not in patch


@pytest.mark.parametrize(
    "line",
    [
        'API_TOKEN = "SECRETVALUE"',
        '"password": "SECRETVALUE",',
        "export DB_PASSWORD=SECRETVALUE",
        "  client_secret: SECRETVALUE1",
    ],
)
def test_a_secret_in_the_code_stays_out_of_the_patch(repository, line):
    (repository / "code.py").write_text(f"one = 2\n{line}\n", encoding="utf-8")
    (repository / "new.py").write_text(f"{line}\ntwo = 2\n", encoding="utf-8")
    patch = provenance.source(repository).patch
    assert "SECRETVALUE" not in patch
    assert patch.count("[removed]") == 2
    assert "+one = 2" in patch
    assert "+two = 2" in patch


@pytest.mark.parametrize(
    "line",
    ["token = tokens[0]", "password: SecretStr", "secret=read_secret()", "tokens = 12345678"],
)
def test_plain_code_stays_in_the_patch(line):
    assert provenance.clean_text(f"+{line}\n") == f"+{line}\n"


@pytest.mark.parametrize("part", ["a", "token", "a_token_", "eyJ", "token = ", "x://", " ", "0"])
def test_a_line_of_a_megabyte_is_cleaned_at_once(part):
    code = "from experiments.records.provenance import clean_text; "
    code += f"clean_text({part!r} * (10**6 // 8))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_patch_over_the_bound_is_named_not_kept(repository, monkeypatch):
    monkeypatch.setattr(provenance, "PATCH_LIMIT", 10)
    (repository / "code.py").write_text("one = 2\n", encoding="utf-8")
    found = provenance.source(repository)
    assert found.patch == ""
    assert "not kept" in found.git.patch


def test_no_repository_and_no_git(tmp_path, monkeypatch):
    assert provenance.source(tmp_path).git.commit == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.source(tmp_path).git.commit == ""


@pytest.mark.parametrize(
    "argument",
    [
        "--set=wandb.api_key=SECRETVALUE",
        "--set",
        "--token",
        "WANDB_API_KEY=SECRETVALUE",
        "https://user:SECRETVALUE@host.org/path?token=SECRETVALUE",
        "data.root=https://user:SECRETVALUE@host.org/",
        "ghp_SECRETVALUESECRETVALUE",
        "hf_SECRETVALUESECRETVALUESECRETVALUE",
    ],
)
def test_no_secret_reaches_the_record(argument):
    argv = ["thesis", "run", argument]
    if argument == "--token":
        argv.append("SECRETVALUE")
    if argument == "--set":
        argv.append("tracking.password=SECRETVALUE")
    cleaned = provenance.clean_argv(argv)
    assert "SECRETVALUE" not in " ".join(cleaned)
    assert cleaned[:2] == ("thesis", "run")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_command_line_can_be_cleaned(argv):
    assert len(provenance.clean_argv(argv)) == len(argv)


def test_plain_arguments_stay():
    argv = ["thesis", "run", "v1", "--set", "train.lr=0.1", "model.weights=C:\\w\\a.pth", "a=b/c"]
    assert provenance.clean_argv(argv) == tuple(argv)


def test_a_record_names_the_card_that_trains(pretend_cards):
    pretend_cards("NVIDIA GeForce GTX 1060 6GB", "NVIDIA GeForce RTX 3060")
    found = [
        provenance.hardware(device)["gpu"] for device in ("auto", "cuda:1", "cuda:0", "cuda:7")
    ]
    first, second = "NVIDIA GeForce GTX 1060 6GB", "NVIDIA GeForce RTX 3060"
    assert found == [first, second, first, first]


SOLD_AS = "12th Gen Intel(R) Core(TM) i7-12700H"


def test_windows_names_the_processor_as_it_is_sold(monkeypatch):
    """`platform` says "Intel64 Family 6 Model 154 Stepping 3", as of many others."""
    asked = []
    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE="machine",
        OpenKey=lambda root, key: contextlib.nullcontext((root, key)),
        QueryValueEx=lambda key, name: (asked.append((*key, name)), (f"{SOLD_AS}  ", 1))[1],
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert provenance.hardware()["cpu"] == SOLD_AS
    place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    assert asked == [("machine", place, "ProcessorNameString")]


def test_macos_names_the_processor_as_it_is_sold(monkeypatch):
    def sysctl(command, **_):
        assert command == ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return SimpleNamespace(stdout="Apple M2\n")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(provenance.subprocess, "run", sysctl)
    assert provenance.hardware()["cpu"] == "Apple M2"


@pytest.mark.parametrize("system", ["Windows", "Darwin", "Plan9"])
def test_a_processor_that_nobody_names_has_its_family(monkeypatch, system):
    monkeypatch.setitem(
        sys.modules, "winreg", SimpleNamespace(OpenKey=refuse, HKEY_LOCAL_MACHINE=0)
    )
    monkeypatch.setattr(provenance.subprocess, "run", refuse)
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "processor", lambda: "a family")
    assert provenance.hardware()["cpu"] == "a family"


def refuse(*_, **__):
    raise OSError("not here")


def test_environment_and_hardware():
    lines = provenance.environment().splitlines()
    assert any(line.startswith("numpy==") for line in lines)
    assert lines[0].startswith("python==")
    found = provenance.hardware()
    assert found["cores"] >= 1
    assert found["cpu"]
