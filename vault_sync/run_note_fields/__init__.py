"""The fields of a run note that the student answers, kept equal in the note and the annotations.

`table` declares the fields, `sheets` reads the answers of a note (`regions` those in its text),
`review` compares note and annotations with what the two last agreed on, and `exchange` gives a
sync what to put into the notes. `commands.pull` takes answers over into the annotations.
"""
