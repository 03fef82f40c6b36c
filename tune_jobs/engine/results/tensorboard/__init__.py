"""Log a run for TensorBoard, from the driver."""
