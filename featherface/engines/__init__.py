"""What runs a network: PyTorch, ONNX Runtime, LiteRT. `table` is lean; `opening` is the door."""
