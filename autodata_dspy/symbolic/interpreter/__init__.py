"""The interpreter of model-written symbolic programs."""
