"""``python -m corelab`` is the ``corelab`` command."""

from __future__ import annotations

from corelab.cli import main

if __name__ == "__main__":
    main()
