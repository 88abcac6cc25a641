"""``python -m corelab.server --home DIR [--port N]``: the local SageMaker of one home, in the foreground."""

from __future__ import annotations

import argparse
import logging
import sys

from corelab.errors import CorelabError
from corelab.home import Home


def main() -> int:
    parser = argparse.ArgumentParser(prog="corelab.server", description=__doc__)
    parser.add_argument("--home", help="the home folder; by default CORELAB_HOME, else ~/.corelab")
    parser.add_argument(
        "--port", type=int, default=0, help="a port of 127.0.0.1; by default the last one, else a free one"
    )
    parser.add_argument("--no-hold", action="store_true", help="answer every Describe at once")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        from corelab.server.serve import serve

        serve(Home(arguments.home), arguments.port, hold=not arguments.no_hold)
    except CorelabError as error:
        print(error, file=sys.stderr)  # noqa: T201 (the command's own answer)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
