"""What stands between a stranger's code and this machine: namespaces, limits, a filter of system calls.

warm parent ─fork─▶ enclosure (mounts) ─fork─▶ init (process 1) ─fork─▶ occupant (kernel, judge or cloud)
"""
