"""Annotations to and from the formats of other tools: COCO, YOLO, WIDER FACE."""
