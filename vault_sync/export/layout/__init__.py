"""What the documents look like: templates of typst and HTML, the preamble of LaTeX."""
