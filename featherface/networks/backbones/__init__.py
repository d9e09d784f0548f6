"""What turns a picture into maps at three strides."""
