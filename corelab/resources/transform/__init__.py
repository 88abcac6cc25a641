"""A transform job's way from its first state to a finished one."""
