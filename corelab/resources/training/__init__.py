"""A training job's way from Starting to a finished state."""
