"""The WIDER FACE protocol: ground truth, predictions, average precision, match records."""
