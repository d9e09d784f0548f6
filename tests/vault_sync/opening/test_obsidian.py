"""A note is opened by whoever is there to open it: stand-ins of Obsidian and of the system."""

import json
import os
import sys

import pytest

from vault_sync.opening import obsidian
from vault_sync.opening.address import note_address
from vault_sync.opening.choosing import ChosenNote
from vault_sync.opening.obsidian import Way, obsidian_root, open_note

scripts = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts of a shell")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on it; `add` puts a program there, `calls` tells what it was asked."""
    programs, log = tmp_path / "bin", tmp_path / "log"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys, "platform", "linux")
    settings = tmp_path / "config" / "obsidian.json"
    monkeypatch.setattr(obsidian, "user_config_path", lambda *_, **__: settings.parent)

    class Machine:
        vault = tmp_path / "My vault"
        chosen = ChosenNote(vault, "A/Café & co.md")

        def add(self, name, answer="", code=0):
            script = programs / name
            lines = [f'echo "{name}|$PWD|$*" >> "{log}"', f'echo "{answer}"', f"exit {code}"]
            script.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
            script.chmod(0o755)

        def switch_on(self, *, on=True):
            settings.parent.mkdir()
            settings.write_text(json.dumps({"vaults": {}, "cli": on}), encoding="utf-8")

        @property
        def calls(self):
            return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    (Machine.vault / "A").mkdir(parents=True)
    (Machine.vault / ".obsidian").mkdir()
    return Machine()


def asked(machine):
    return f"obsidian|{machine.vault}|open path=A/Café & co.md"


def by_address(machine):
    return f"xdg-open|{os.getcwd()}|{note_address(machine.chosen.file)}"  # noqa: PTH109 - as sh has it


@scripts
def test_the_command_line_of_obsidian_is_asked_first(machine):
    machine.add("obsidian", "Opened: A/Café & co.md")
    machine.add("xdg-open")
    machine.switch_on()
    assert open_note(machine.chosen) is Way.COMMAND_LINE
    assert machine.calls == [asked(machine)]


@scripts
@pytest.mark.parametrize(("answer", "code"), [("Error: no", 0), ("Vault not found.", 0), ("", 3)])
def test_where_it_fails_the_address_is_opened(machine, answer, code):
    machine.add("obsidian", answer, code)
    machine.add("xdg-open")
    machine.switch_on()
    assert open_note(machine.chosen) is Way.ADDRESS
    assert machine.calls == [asked(machine), by_address(machine)]


@scripts
def test_an_earlier_obsidian_is_not_started(machine):
    machine.add("obsidian")
    machine.add("xdg-open")
    assert open_note(machine.chosen) is Way.ADDRESS
    machine.switch_on(on=False)
    assert open_note(machine.chosen) is Way.ADDRESS
    assert machine.calls == [by_address(machine)] * 2


@scripts
def test_a_heading_is_opened_by_its_address(machine):
    machine.add("obsidian")
    machine.add("xdg-open")
    machine.switch_on()
    assert open_note(ChosenNote(machine.vault, "A/x.md", "Part 1")) is Way.ADDRESS
    assert machine.calls[0].endswith("x.md%23Part%201")


@scripts
def test_a_vault_that_obsidian_never_opened_is_left_to_the_address(machine):
    (machine.vault / ".obsidian").rmdir()
    machine.add("obsidian")
    machine.add("xdg-open")
    machine.switch_on()
    assert open_note(machine.chosen) is Way.ADDRESS


def test_a_folder_of_a_larger_vault_is_found_in_it(tmp_path):
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / "Thesis").mkdir()
    assert obsidian_root(tmp_path / "Thesis") == tmp_path


@scripts
def test_nothing_is_opened_where_nothing_can_be(machine, monkeypatch):
    assert open_note(machine.chosen) is Way.NONE
    machine.add("xdg-open", code=3)
    assert open_note(machine.chosen) is Way.NONE
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert open_note(machine.chosen) is Way.NONE
    assert machine.calls == [by_address(machine)]


@scripts
def test_a_program_that_stays_open_has_opened_it(machine, monkeypatch):
    monkeypatch.setattr(obsidian, "PATIENCE", 0.05)
    machine.add("xdg-open")
    script = machine.vault.parent / "bin" / "xdg-open"
    script.write_text("#!/bin/sh\nexec /bin/sleep 0.3\n", encoding="utf-8")
    assert open_note(machine.chosen) is Way.ADDRESS


@scripts
def test_macos_has_its_own_opener(machine, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("DISPLAY")
    machine.add("open")
    assert open_note(machine.chosen) is Way.ADDRESS
    assert machine.calls[0].startswith("open|")


def test_windows_opens_an_address_itself(machine, monkeypatch):
    opened = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "startfile", opened.append, raising=False)
    assert open_note(machine.chosen) is Way.ADDRESS
    assert opened == [note_address(machine.chosen.file)]

    def refuse(_):
        raise OSError(1155, "no application")

    monkeypatch.setattr(os, "startfile", refuse, raising=False)
    assert open_note(machine.chosen) is Way.NONE


def test_every_letter_of_a_path_is_quoted(tmp_path):
    address = note_address(tmp_path / "a b&c=d?e#f%g é.md")
    assert address.startswith("obsidian://open?path=")
    assert address.endswith("a%20b%26c%3Dd%3Fe%23f%25g%20%C3%A9.md")
    assert not set(address.partition("path=")[2]) & set("&=?# /\\")
