"""Out of the vault: the thesis as one PDF, Word, LaTeX or HTML document, through pandoc.

Notes are read, never written. Each is translated from Obsidian's Markdown to CommonMark
(`reading.obsidian`), parsed by pandoc into a syntax tree (`reading.pandoc`), changed there
(`reading.html_in_notes`, `transclusion`, `linking`, `callouts`; `pictures`, `citations`,
`typography`, `references`, `format_specific`), and written by pandoc again (`document_writer`).
"""
