"""A process with nothing but the AWS services behind the bridge: ``python server.py FOLDER`` prints its port."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from corelab.aws.app import AwsServices
from corelab.aws.bridge import WsgiBridge


def die_with_parent() -> None:
    """The parent holds the other end of our standard input for as long as it lives."""
    sys.stdin.read()
    os._exit(0)


async def main(folder: Path) -> None:
    services = AwsServices(folder)
    bridge = WsgiBridge(services.wsgi, 8)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(bridge, log_level="error", lifespan="off", server_header=False)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve(sockets=[listener])
    bridge.close()
    services.close()


if __name__ == "__main__":
    threading.Thread(target=die_with_parent, daemon=True).start()
    asyncio.run(main(Path(sys.argv[1])))
