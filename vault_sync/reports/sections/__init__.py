"""Tables, pictures and sentences that several reports share."""
