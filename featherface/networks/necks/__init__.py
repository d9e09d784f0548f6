"""What exchanges information between the three strides."""
