"""A tuning job's way: children launched, listened to, stopped, counted."""
