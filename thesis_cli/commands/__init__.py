"""One module or folder per command group, imported when it is asked for."""
