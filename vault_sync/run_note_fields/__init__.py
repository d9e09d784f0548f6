"""What a student answers in the note of a run, and how it gets to the record's side and back.

`table` says what the answers are, `sheets` reads them from a note, `reviewing` compares note and
record with what they last agreed on, `pulling` takes the student's words over, and `exchanging`
hands a sync what is to be put into the notes.
"""
