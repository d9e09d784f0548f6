"""What goes into the document: which notes, in which order, under which titles, and why not."""
