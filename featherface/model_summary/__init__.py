"""What a network is made of, told without weights: layers, fields of view, anchors, size.

`description` is the door.
"""
