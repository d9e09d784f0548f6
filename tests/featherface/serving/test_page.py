from __future__ import annotations

import re
from pathlib import Path

from featherface import serving

PAGE = Path(serving.__file__).parent / "page"
FILES = {path.name: path.read_text(encoding="utf-8") for path in PAGE.iterdir()}


def test_the_page_and_its_files_are_served_and_may_load_nothing_else(served):
    client = served().client
    for path, kind in (("/", "html"), ("/page.css", "css"), ("/page.js", "javascript")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_names_no_other_place():
    assert [name for name, text in FILES.items() if re.search(r"https?:|//\w+\.\w", text)] == []


def test_everything_on_the_page_is_said_in_both_languages():
    text = FILES["page.js"]
    languages = re.findall(r"^  (?:en|fr): \{(.*?)^  \},", text, re.MULTILINE | re.DOTALL)
    word = re.compile(r'(?:^ {4}|, )"?([a-z-]+)"?:', re.MULTILINE)
    keys = [set(word.findall(said)) for said in languages]
    assert keys[0] == keys[1]
    assert set(re.findall(r'data-say="([^"]+)"', FILES["page.html"])) <= keys[0]


def test_every_control_of_the_page_has_a_label():
    labelled = set(re.findall(r'for="([^"]+)"', FILES["page.html"]))
    inputs = re.findall(r'<input id="([^"]+)"', FILES["page.html"])
    wrapped = re.findall(r'<label><input id="([^"]+)"', FILES["page.html"])
    assert set(inputs) <= labelled | set(wrapped)
