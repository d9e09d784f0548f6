"""The face of the document: title page, abstracts and the other pages before the first chapter.

`[document]` of thesis.toml says what stands there (`sources`); `pages` makes blocks of it that all
formats share, `look` says how each format shows them, `templates` hands them to a university's own
LaTeX class, Typst template or Word document, and checks these first.
"""
