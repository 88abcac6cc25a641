"""Turns course text into notebooks: ``course/`` to ``source/`` to ``release/``, one way only."""
