"""Slides out of a vault: what each format holds, and what is refused or told."""

from __future__ import annotations

import re
import subprocess
import zipfile
from xml.etree import ElementTree as ET

import pytest

from featherface.errors import NotFoundError, RefusedError, UsageError
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.format_specific import LAYOUTS
from vault_sync.export.formats import SLIDES
from vault_sync.export.slides.exporting import WRITERS, export_slides

HARD = "widerface.hard.ap"
NOTE = f"""---
slides: true
---
# Petits visages

En une phrase.

note: Bonjour.

---

## Résultat : AP

Elle atteint <!--t:v2 {HARD} .1%-->85,6 %<!--/t--> ; l'article dit
<!--t:cited:featherface-paper {HARD} .1%-->78,3 %<!--/t-->[^1] [@kim2025featherface].

[^1]: Une note.

note: Dire sur quelles données.

---

## Tableau et figure

*Ce que coûte chaque réseau.*

| Réseau | Paramètres |
|--------|-----------:|
| v2     |          1 |

^tbl-x

![Une courbe](courbe.png)

Voir @tbl:x.

$$ a = b $$ ^eq-x

---

## Merci
"""


@pytest.fixture
def talk(workspace, make_run):
    """A workspace in French with a note of slides."""
    from PIL import Image  # noqa: PLC0415 - most tests draw nothing

    make_run(workspace, "v2", metrics={HARD: 0.8563})
    file = workspace.root / "thesis.toml"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"^language = .*$", 'language = "fr"', text, flags=re.MULTILINE)
    text = re.sub(r"^author = .*$", 'author = "C. Étudiante"', text, flags=re.MULTILINE)
    file.write_text(text + '\n[document]\ninstitution = "Université"\n', encoding="utf-8")
    Image.new("RGB", (50, 30), "white").save(workspace.vault / "courbe.png")
    write(workspace, NOTE)
    return type(workspace).open(workspace.root)


def write(workspace, text, name="Soutenance.md"):
    (workspace.vault / name).write_text(text, encoding="utf-8")


def make(workspace, to="slides-html", *names, **options):
    handout = options.pop("handout", False)
    return export_slides(workspace, names, ExportOptions(to=to, **options), handout=handout)


@pytest.mark.parametrize("name", SLIDES)
def test_each_format_shows_the_slides_and_the_vault_stays(talk, stamps, name):
    before = stamps(talk.vault)
    done = make(talk, name)
    assert stamps(talk.vault) == before
    assert done.output == talk.root / "export" / f"Soutenance{SLIDES[name].suffix}"
    # the title, three of the note, the works cited, the questions
    assert (done.slides, done.figures, done.tables) == (6, 1, 1)
    assert done.citations == ("kim2025featherface",)
    looks = {"slides": is_pdf, "slides-html": is_html, "slides-pptx": is_pptx}
    assert name in looks, f"say here what slides of the format {name!r} hold"
    looks[name](done)


def test_whatever_tables_and_lists_there_are_typst_sets_them(talk):
    """Slides have a layout of their own, which must know all that documents ask for."""
    row = "| v2 | " + "a long text of many words " * 3 + "|\n"
    write(
        talk,
        "---\nslides: true\n---\n# T\n\n---\n\n## Short\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "---\n\n## High\n\n| a | b |\n|---|---|\n" + row * 7 + "\n---\n\n## Wide\n\n"
        "|" + " column with a name |" * 14 + "\n|" + "---|" * 14 + "\n|" + " a word |" * 14 + "\n\n"
        "---\n\n## Rest\n\n- [ ] a\n- [x] b\n\n> [!warning] Box\n> text\n\n`code`\n\n***\n",
    )
    assert make(talk, "slides").output.read_bytes().startswith(b"%PDF-")


def is_pdf(done):
    content = done.output.read_bytes()
    assert content.startswith(b"%PDF-")
    assert done.pages == 6
    width, height = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content).groups()
    assert float(width) / float(height) == pytest.approx(16 / 9, rel=0.001)


def is_html(done):
    text = done.output.read_text(encoding="utf-8")
    assert text.count('<section class="slide') == 6
    assert not re.search(r'(?:src|href)="(?!#|data:|https?:)', text)
    titles = re.findall(r'<section class="([^"]+)" id="slide-(\d)" aria-label="([^"]*)"', text)
    assert titles[0] == ("slide opening", "1", "Petits visages")
    assert titles[1] == ("slide", "2", "Résultat\u202f: AP")
    assert titles[3] == ("slide part", "4", "Merci")
    assert "C. Étudiante" in text
    assert "Université" in text
    notes = re.findall(r'<aside class="notes" data-slide="(\d)">\s*<p>(.*?)</p>', text, re.DOTALL)
    assert notes == [("1", "Bonjour."), ("2", "Dire sur quelles données.")]
    assert "Tableau\u00a01" in text
    assert "(1)" in text
    answers = text[text.index("Questions possibles") :]
    assert "D’où vient 85,6\u202f%\u202f? (" in answers
    assert re.search(r"Exécution v2@1, scellée sous <code>[0-9a-f]{12}</code>", answers)
    assert "Publié dans" in answers


def is_pptx(done):
    with zipfile.ZipFile(done.output) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, content in parts.items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(content)  # noqa: S314 - of our own making
    slides = {
        int(re.search(r"\d+", name)[0]): "".join(re.findall(r"<a:t>([^<]*)", text.decode()))
        for name, text in parts.items()
        if re.fullmatch(r"ppt/slides/slide\d+\.xml", name)
    }
    # the slide with a table and a picture is two
    assert len(slides) == 7
    assert slides[1].startswith("Petits visages")
    assert "85,6\u202f%" in slides[2]
    assert slides[3].startswith("Tableau et figure")
    assert slides[4].startswith("Tableau et figure")
    spoken = [text.decode() for name, text in parts.items() if "notesSlides/notesSlide" in name]
    assert sorted(bool(re.search("Bonjour|quelles données", text)) for text in spoken)[-2:] == [
        True,
        True,
    ]
    table = next(text.decode() for text in parts.values() if b"<a:tbl>" in text)
    assert 'sz="1600"' in table
    columns = sum(int(one) for one in re.findall(r'gridCol w="(\d+)"', table))
    assert columns == pytest.approx(0.9 * 9144000, rel=0.01)


def test_every_format_of_slides_has_a_writer_and_is_no_document(talk):
    assert {form.layout for form in SLIDES.values()} == set(WRITERS) <= set(LAYOUTS)
    with pytest.raises(UsageError, match="slides"):
        export(talk, (), ExportOptions(to="slides"))
    with pytest.raises(UsageError, match="did you mean 'slides-html'"):
        make(talk, "slides-htm")


def test_a_note_of_slides_is_no_chapter(talk):
    write(talk, "# Chapter\n\nText.\n", "Chapter.md")
    done = export(talk, (), ExportOptions(to="html"))
    assert "Soutenance.md" not in done.notes
    assert done.reasons["Soutenance.md"] == "slides"


def test_a_stale_number_stops_the_slides_and_force_does_not_hide_it(talk, make_run):
    make_run(talk, "v2", metrics={HARD: 0.9})
    with pytest.raises(RefusedError, match=r"Soutenance\.md:\d+:\d+: stale 85,6") as told:
        make(talk)
    assert "thesis check numbers --fix" in told.value.hint
    done = make(talk, force=True)
    assert any("stale 85,6" in warning for warning in done.warnings)
    text = done.output.read_text(encoding="utf-8")
    assert "Les fiches disent maintenant 90,0\u202f%" in text


def test_an_altered_number_stops_the_slides(talk):
    write(talk, NOTE.replace("85,6", "95,6"))
    with pytest.raises(RefusedError, match="hand-edited 95,6"):
        make(talk)


def test_which_note_is_meant(talk):
    write(talk, "# Autre\n\n## A\n\nb\n", "Autre.md")
    assert make(talk, "slides-html", "Autre").notes == ("Autre.md",)
    write(talk, "---\nslides: yes\n---\n# Autre\n", "Autre.md")
    with pytest.raises(UsageError, match=r"these are 2: Autre\.md, Soutenance\.md"):
        make(talk)
    for name in ("Autre.md", "Soutenance.md"):
        write(talk, "# Text\n", name)
    with pytest.raises(NotFoundError) as told:
        make(talk)
    assert "thesis vault slides" in told.value.hint


def test_questions_are_asked_once_of_each_number_or_not_at_all(talk):
    again = NOTE.replace("## Merci", f"## Merci\n\n<!--t:v2 {HARD} .1%-->85,6 %<!--/t-->")
    write(talk, again)
    text = make(talk).output.read_text(encoding="utf-8")
    assert text.count("D’où vient") == 2
    write(talk, NOTE.replace("slides: true", "slides: true\nquestions: false"))
    assert "D’où vient" not in make(talk).output.read_text(encoding="utf-8")


def test_a_slide_that_holds_too_much_is_told_in_every_format(talk):
    rows = "\n".join(f"- ligne {n}" for n in range(60))
    write(talk, f"---\nslides: true\n---\n# T\n\n## Long\n\n{rows}\n\n## Vide\n")
    for name in SLIDES:
        warnings = make(talk, name).warnings
        full = [one for one in warnings if "more than its page shows" in one]
        assert [one.partition(":")[0] for one in full] == ["slide 2 (Long)"], name
        assert "slide 3 (Vide): nothing stands on it yet" in warnings


def test_notes_are_printed_below_each_slide(talk):
    done = make(talk, "slides", handout=True)
    content = done.output.read_bytes()
    width, height = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content).groups()
    assert float(height) / float(width) == pytest.approx(297 / 210, rel=0.001)
    assert done.pages == 6
    page = make(talk, "slides-html", handout=True).output.read_text(encoding="utf-8")
    assert '<body class="handout">' in page


def test_a_powerpoint_of_ones_own_is_checked_first(talk):
    file = talk.root / "thesis.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + '\n[export]\nreference_pptx = "u.pptx"\n',
        encoding="utf-8",
    )
    mine = type(talk).open(talk.root)
    with pytest.raises(NotFoundError, match=r"reference_pptx.*u\.pptx"):
        make(mine, "slides-pptx")
    (mine.root / "u.pptx").write_bytes(b"no archive")
    with pytest.raises(UsageError, match="can't be read"):
        make(mine, "slides-pptx")
    from vault_sync.export.reading.pandoc import run_pandoc  # noqa: PLC0415 - only here

    reference, _ = run_pandoc(["--print-default-data-file", "reference.pptx"], mine.root)
    (mine.root / "u.pptx").write_bytes(reference)
    assert make(mine, "slides-pptx").slides == 6


@pytest.mark.external
@pytest.mark.slow
def test_a_browser_shows_one_slide_after_the_other(talk, tmp_path):
    import shutil  # noqa: PLC0415 - only here

    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed: the page can't be opened here")
    page = make(talk).output.as_uri()
    command = [browser, "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", "--dump-dom"]
    answer = subprocess.run(
        [*command, f"{page}#slide-3"], capture_output=True, check=True, timeout=60
    )
    seen = re.findall(r'<section class="([^"]*)" id="slide-(\d)"', answer.stdout.decode())
    assert [number for kinds, number in seen if "now" in kinds.split()] == ["3"]


def test_a_figure_is_shown_by_the_id_below_its_caption(talk):
    """Obsidian shows the line that has the id alone; a document wants the figure."""
    write(talk, "# R\n\n![x](courbe.png)\n\n*Une courbe.* ^fig-courbe\n\nAprès.\n", "R.md")
    write(talk, "---\nslides: true\n---\n# T\n\n## F\n\n![[R#^fig-courbe]]\n")
    done = make(talk)
    text = done.output.read_text(encoding="utf-8")
    assert done.figures == 1
    assert "Figure\u00a01\u202f: Une courbe." in text
    assert "Après" not in text


def test_the_second_slide_links_to_the_third(talk):
    write(talk, "---\nslides: true\n---\n# T\n\n## A\n\nVoir [[#B|la suite]].\n\n## B\n\nFin.\n")
    text = make(talk).output.read_text(encoding="utf-8")
    target = re.search(r'<a href="#([^"]+)">la suite</a>', text)[1]
    assert text.index('id="slide-3"') < text.index(f'<h2 id="{target}"')
    for name in ("slides", "slides-pptx"):
        assert make(talk, name).warnings == ()


def test_a_text_above_a_table_is_small_enough_for_its_place(talk):
    rows = "\n".join(f"- ligne {n}" for n in range(8))
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    write(talk, f"---\nslides: true\n---\n# T\n\n## A\n\n{rows}\n\n{table}\n")
    with zipfile.ZipFile(make(talk, "slides-pptx").output) as archive:
        slide = archive.read("ppt/slides/slide2.xml").decode()
    assert re.search(r'<a:normAutofit fontScale="(?:48|55)000"', slide)
    text, frame = re.findall(
        r'<a:off x="457200" y="(\d+)"\s*/><a:ext cx="8229600" cy="(\d+)"', slide
    )
    assert int(text[0]) + int(text[1]) <= int(frame[0]) + 1
    assert int(frame[0]) + int(frame[1]) < 5143500
