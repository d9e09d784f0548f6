"""Where and with what numbers to compute: devices, precisions, kernels, processes."""
