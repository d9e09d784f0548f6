"""How numbers, tables, commands and sentences are written, in English and French."""
