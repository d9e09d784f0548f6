"""What can be done to a vault; everything that writes goes through `writing`."""
