"""Looks after what the course made, locally or on AWS, through the same APIs: its bill, its failures, its leftovers."""
