"""Formulas as Obsidian shows them, made of what pandoc, typst and LaTeX know."""
