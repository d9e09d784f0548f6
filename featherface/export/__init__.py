"""Networks for other runtimes. `formats` is lean; `writing` is the door for the rest."""
