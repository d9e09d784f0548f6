"""Small fixed computations whose results tell later whether the code still computes the same."""
