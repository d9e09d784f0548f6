"""A note of slides out of the vault, as PDF, HTML or PowerPoint.

The note is read and checked as any other is (`choosing`, `exporting`); its tree is split into
slides (`deck`) and their notes for the speaker (`speaker_notes`), questions that may be asked are
added (`questions`), and each format writes them (`typst_deck`, `html_deck`, `pptx_deck`).
`starting` writes the note that one begins with.
"""
