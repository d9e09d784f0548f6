"""Numbers of figures, tables, equations and sections, and references to them, in every format."""
