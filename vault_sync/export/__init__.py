"""Out of the vault: the thesis as one PDF, Word, LaTeX or HTML document, through pandoc.

Notes are read, never written. Each is translated from Obsidian's Markdown to CommonMark
(`obsidian`), parsed by pandoc into a syntax tree (`pandoc`), changed there (`markup`, `callouts`,
`embeds`, `headings`, `anchors`, `figures`, `tables`, `citations`, `typography`, `layout`), and
written by pandoc again.
"""
