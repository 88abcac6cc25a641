"""A client of kernels that sees every reply.

jupyter_client sends past the asynchronous socket that it receives with. A reply that comes in just then is taken
from the network, but nobody is woken for it, and the cell seems to run until its time is up. nbclient sends while
a cell runs whenever the cell shows a widget, and ``wait()`` of sagemaker-core shows one.
"""

from __future__ import annotations

from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel


class WakingChannel(AsyncZMQSocketChannel):
    """Looks for what came in while it sent."""

    def send(self, msg: dict[str, Any]) -> None:
        super().send(msg)
        self.socket.get(zmq.EVENTS)  # wakes who waits, if there is anything (pyzmq's asynchronous Socket.get)


class WakingClient(AsyncKernelClient):
    """An AsyncKernelClient for ``AsyncKernelManager.client_class``."""

    shell_channel_class = WakingChannel
    iopub_channel_class = WakingChannel
    stdin_channel_class = WakingChannel
    control_channel_class = WakingChannel


NAME = f"{__name__}.{WakingClient.__name__}"
SETTINGS = {"AsyncKernelManager": {"client_class": NAME}}
