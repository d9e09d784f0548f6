"""Word's styles of the front matter, added to a document of styles that lacks them."""

from __future__ import annotations

from vault_sync.export.front_matter.look import STYLES, style_id

_CENTRE = '<w:jc w:val="center"/>'
_RULES = (
    '<w:pBdr><w:top w:val="single" w:sz="8" w:space="14" w:color="auto"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="14" w:color="auto"/></w:pBdr>'
)
_LOOK: dict[str, tuple[str, str]] = {
    "logo": (_CENTRE, ""),
    "institution": (f'<w:spacing w:before="0" w:after="60"/>{_CENTRE}', '<w:b/><w:sz w:val="30"/>'),
    "faculty": (f'<w:spacing w:before="0" w:after="40"/>{_CENTRE}', '<w:sz w:val="24"/>'),
    "laboratory": (f'<w:spacing w:before="0" w:after="40"/>{_CENTRE}', '<w:i/><w:sz w:val="24"/>'),
    "degree": (f'<w:spacing w:before="900" w:after="40"/>{_CENTRE}', '<w:sz w:val="28"/>'),
    "discipline": (f'<w:spacing w:before="0" w:after="40"/>{_CENTRE}', '<w:sz w:val="24"/>'),
    "title": (
        f'{_RULES}<w:spacing w:before="700" w:after="400"/>{_CENTRE}',
        '<w:b/><w:sz w:val="46"/>',
    ),
    "subtitle": (f'<w:spacing w:before="0" w:after="400"/>{_CENTRE}', '<w:sz w:val="30"/>'),
    "label": (f'<w:keepNext/><w:spacing w:before="280" w:after="40"/>{_CENTRE}', "<w:i/>"),
    "author": (f'<w:spacing w:before="0" w:after="60"/>{_CENTRE}', '<w:b/><w:sz w:val="32"/>'),
    "person": (f'<w:spacing w:before="0" w:after="40"/>{_CENTRE}', '<w:sz w:val="24"/>'),
    "jury": ('<w:spacing w:before="20" w:after="20"/>', ""),
    "date": (f'<w:spacing w:before="240" w:after="0"/>{_CENTRE}', '<w:sz w:val="24"/>'),
    "heading": ('<w:keepNext/><w:spacing w:before="0" w:after="320"/>', '<w:b/><w:sz w:val="36"/>'),
    "dedication": (
        '<w:spacing w:before="3600"/><w:ind w:left="3600"/><w:jc w:val="right"/>',
        "<w:i/>",
    ),
    "keywords": ('<w:spacing w:before="240"/>', ""),
}
_TABLES = {
    "Front Table": (
        '<w:style w:type="table" w:customStyle="1" w:styleId="FrontTable">'
        '<w:name w:val="Front Table"/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/></w:tblPr></w:style>'
    ),
    **{
        f"toc {level}": (
            f'<w:style w:type="paragraph" w:styleId="TOC{level}"><w:name w:val="toc {level}"/>'
            '<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:uiPriority w:val="39"/><w:pPr>'
            '<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="9070"/></w:tabs>'
            f'<w:spacing w:before="{120 if level == 1 else 0}" w:after="40"/>'
            f'<w:ind w:left="{(level - 1) * 280}"/></w:pPr>'
            f"<w:rPr>{'<w:b/>' if level == 1 else ''}</w:rPr></w:style>"
        )
        for level in (1, 2, 3)
    },
}
_STYLE = (
    '<w:style w:type="paragraph" w:customStyle="1" w:styleId="{id}"><w:name w:val="{name}"/>'
    '<w:basedOn w:val="Normal"/><w:pPr>{paragraph}</w:pPr><w:rPr>{letters}</w:rPr></w:style>'
)


def missing_styles(styles: str) -> str:
    """Return the styles of the front matter that the XML STYLES does not define."""
    lines = {
        name: _STYLE.format(
            id=style_id(name), name=name, paragraph=_LOOK[line][0], letters=_LOOK[line][1]
        )
        for line, name in STYLES.items()
    }
    every = {**lines, **_TABLES}
    return "".join(text for name, text in every.items() if f'w:val="{name}"' not in styles)
