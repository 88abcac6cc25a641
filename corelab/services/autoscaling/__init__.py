"""Application Auto Scaling, for the variants of endpoints on instances."""
