"""Where calls go: the local SageMaker or AWS.

connect()                target.py       argument, CORELAB_TARGET, or local
├── the server           launch.py       found or started, one a home
├── the environment      environment.py  addresses and credentials for every SDK
├── botocore             events.py       the SDKs' fixed addresses rerouted, others refused
├── the notebook         links.py        jobs and failures lead to the console
└── the answer           report.py       which cloud, console, bill
"""

from __future__ import annotations

from corelab.connection.report import Connection
from corelab.connection.target import connect, console_page, disconnect, local_environment

__all__ = ["Connection", "connect", "console_page", "disconnect", "local_environment"]
