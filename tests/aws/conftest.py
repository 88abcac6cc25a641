"""A live server in a process of its own, and unmodified boto3 clients of it."""

from __future__ import annotations

import http.client
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

KEY = "AKIALOCALSAGEMAKER00"
ROOT = Path(__file__).parents[2]
Clients = Callable[..., Any]


class Server:
    """``tests/aws/server.py`` as a child; ``kill`` is SIGKILL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server.py")), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, region: str = "us-east-1", key: str = KEY, **kwargs: Any) -> Any:
        options = {"retries": {"total_max_attempts": 1}, "read_timeout": 60, **kwargs.pop("config", {})}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=kwargs.pop("secret", "s" * 40),
            config=Config(**options),
            **kwargs,
        )

    def resource(self, service: str) -> Any:
        return boto3.resource(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key="s" * 40,
        )

    def raw(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request with nothing added but a length: status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def signed(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        key: str = KEY,
    ) -> tuple[int, bytes]:
        """A request to S3 that claims to be signed by ``key``."""
        scope = f"AWS4-HMAC-SHA256 Credential={key}/20261122/us-east-1/s3/aws4_request, SignedHeaders=host"
        signed = {"authorization": f"{scope}, Signature=0", **(headers or {})}
        status, _, answer = self.raw(method, target, body, signed)
        return status, answer

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def restart(self) -> None:
        """Die without warning and come back."""
        self.kill()
        self.start()

    def stop(self) -> None:
        self.process.terminate()
        self._reap()

    def _reap(self) -> None:
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("aws"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3(server: Server) -> Any:
    return server.client("s3")


@pytest.fixture(scope="session")
def iam(server: Server) -> Any:
    return server.client("iam")


@pytest.fixture(scope="session")
def sts(server: Server) -> Any:
    return server.client("sts")


@pytest.fixture(scope="session")
def logs(server: Server) -> Any:
    return server.client("logs")


@pytest.fixture(scope="session")
def cloudwatch(server: Server) -> Any:
    return server.client("cloudwatch")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new bucket of this test's own."""
    name = f"bucket-{uuid.uuid4().hex[:16]}"
    s3.create_bucket(Bucket=name)
    return name
