"""A server small enough to start in a blink: the home's lock, the health page, and STS's one answer."""

from __future__ import annotations

import argparse
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from corelab.home import Home

CALLER = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:sts::123456789012:assumed-role/LabRole/learner</Arn><UserId>AROA:learner</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


PAGES = {
    "/_corelab/health": json.dumps({"status": "ok", "pid": os.getpid(), "version": "0.1.0"}),
    "/_corelab/console/": "<h1>Console</h1>",
    "/_corelab/bill": json.dumps({"total_usd": 1.5}),
}


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        self._send(200 if page else 404, page or "nothing here")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, CALLER)

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    home = Home(asked.home)
    with home.lock(), ThreadingHTTPServer(("127.0.0.1", asked.port), Answer) as server:
        home.announce(server.server_port, "0.1.0")
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
