"""Templates, words, links and pictures: what every report is written with."""
