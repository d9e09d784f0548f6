"""What a recipe may say, and all its values once files, `extends:` and `--set` are merged."""
