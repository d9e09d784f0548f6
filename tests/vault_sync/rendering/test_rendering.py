import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import DictLoader
from jinja2.exceptions import SecurityError, UndefinedError
from markdown_it import MarkdownIt

from vault_sync.engine.text.markers import scan
from vault_sync.rendering import jinja
from vault_sync.rendering.markdown import Safe, code, escape, table

HOSTILE = [
    "../x",
    "a|b",
    "[[x]]",
    "%%hidden%%",
    "<%* tp.x %>",
    "`$= dv.x`",
    "-->",
    "x" * 300,
    "a\nb",
    "<script>",
    "{{ config }}",
    "{% raw %}",
    "![](x)",
    "#tag",
    "**b**",
    "$x$",
    "==h==",
    "~~s~~",
    "<!-- thesis:begin id=x -->",
    "\\",
    "&lt;",
    "\\|",
    "`",
    "_i_",
    "a\u2028b",
    "\u202eevil",
]

markdown = MarkdownIt("commonmark").enable("table")


def cells(text: str) -> list[list[str]]:
    """Read a Markdown table as a person sees it."""
    html = markdown.render(text)
    assert "<table>" in html
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[_plain(cell) for cell in row] for row in found]


def _plain(html: str) -> str:
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        html = html.replace(entity, letter)
    return html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_keeps_the_columns_of_a_table(text):
    shown = table(["a", "b"], [[text, "1"], [code(text), "2"]])
    rows = cells(shown)
    assert [len(row) for row in rows] == [2, 2, 2]
    assert [row[1] for row in rows] == ["b", "1", "2"]  # a reader drops what is one cell too many
    for forbidden in ("%%", "<%", "`$=", "-->", "[[", "]]", "<script"):
        assert forbidden not in shown.split("\n", 2)[2]
    assert not scan(shown.encode()).blocks


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\t", "\u2028", "\x85"])
def test_a_line_break_is_a_space(ending):
    assert escape(f"one{ending}two") == "one two"


printable = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cf")) | st.just(" "),
    min_size=1,
    max_size=40,
).map(lambda text: " ".join(text.split()))


@given(printable.filter(bool))
@example("__init__")
@example("a|b")
def test_escaped_text_is_seen_as_it_was(text):
    assert cells(table(["h"], [[text]]))[1] == [text]


def test_values_are_not_rendered_again(template):
    assert template("{{ x }}", x="{{ y }}") == "&#123;{ y }}\n".replace("&#123;{", "&#123;{")


def test_a_missing_value_is_an_error(template):
    with pytest.raises(UndefinedError):
        template("{{ missing }}")
    with pytest.raises(TypeError, match="None"):
        template("{{ x }}", x=None)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{% set _ = y.append(1) %}",
        "{{ y.clear() }}",
    ],
)
def test_templates_can_not_leave_the_sandbox(template, text):
    with pytest.raises((SecurityError, UndefinedError)):
        template(text, x=object(), y=[])


def test_markdown_of_our_own_is_left_alone(template):
    assert template("{{ x }}", x=Safe("[[v2@1]]")) == "[[v2@1]]\n"
    assert escape("plain words, 12.5 %") == "plain words, 12.5 %"


@pytest.fixture
def template(monkeypatch):
    environment = jinja._environment("en")

    def render(text, **values):
        monkeypatch.setattr(environment, "loader", DictLoader({"t.jinja": text}))
        environment.cache.clear()
        return jinja.render("en", "t", values)

    yield render
    environment.cache.clear()
