"""What turns the maps of a neck into scores, boxes and landmarks."""
