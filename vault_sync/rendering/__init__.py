"""What all reports are rendered with: templates, wording, links, figures, cached results."""
