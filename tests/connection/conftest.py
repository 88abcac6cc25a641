"""A home with a small server of its own, and a process environment that every test gives back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import corelab
from corelab.connection import launch
from corelab.home import Home, ServerInfo
from tests.aws_cloud import aws_account, aws_endpoint

__all__ = ["aws_account", "aws_endpoint"]
STAND_IN = (sys.executable, str(Path(__file__).parent / "stand_in.py"))


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No AWS settings of this machine's own."""
    for name in os.environ:
        if name.startswith(("AWS_", "CORELAB_", "SAGEMAKER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no_config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no_credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield
    corelab.disconnect()


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose server is the small one."""
    home = Home(tmp_path_factory.mktemp("small") / "home")
    launch.ensure(home, command=STAND_IN)
    yield home
    launch.stop(home)


@pytest.fixture
def small_server(small_home: Home) -> ServerInfo:
    server = small_home.running()
    assert server is not None
    return server
