"""connect(): argument, CORELAB_TARGET or local; one process, one cloud, and back again."""

from __future__ import annotations

import os
import subprocess
import sys

import boto3
import pytest

import corelab
from corelab.connection import console_page, events, launch
from corelab.errors import AccountError, BadArgument
from corelab.home import Home, ServerInfo
from tests.connection.conftest import STAND_IN


def environment() -> dict[str, str]:
    return dict(os.environ)


def test_connecting_says_which_cloud(
    small_home: Home, small_server: ServerInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = corelab.connect(home=small_home.path)
    assert (connection.target, connection.region, connection.account) == (
        "local",
        "us-east-1",
        "123456789012",
    )
    printed = capsys.readouterr()
    assert printed.err == ""
    for fact in ("local SageMaker", "123456789012, us-east-1", "LabRole", small_server.console_url, "$1.50"):
        assert fact in printed.out


def test_connecting_quietly_prints_nothing(small_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    corelab.connect(home=small_home.path, quietly=True)
    assert capsys.readouterr() == ("", "")


def test_every_sdk_is_pointed_at_the_local_server(small_home: Home, small_server: ServerInfo) -> None:
    corelab.connect(home=small_home.path, quietly=True, region="eu-central-1")
    client = boto3.client("sagemaker")
    assert client.meta.endpoint_url == small_server.url
    assert client.meta.region_name == "eu-central-1"
    key = boto3.Session().get_credentials().access_key
    assert len(key) == 20
    assert key.isalnum()
    assert key.isupper()


def test_settings_that_would_win_over_ours_are_set_aside(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    traps = {
        "AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_S3": "http://10.0.0.1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_USE_FIPS_ENDPOINT": "true", "NO_PROXY": "intranet",
        "HTTPS_PROXY": "http://10.0.0.1:3128", "HTTP_PROXY": "http://10.0.0.1:3128",
    }  # fmt: skip
    for name, value in traps.items():
        monkeypatch.setenv(name, value)
    before = environment()
    corelab.connect(home=small_home.path, quietly=True)
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    corelab.disconnect()
    assert environment() == before


def test_connecting_again_changes_nothing(small_home: Home) -> None:
    first = corelab.connect(home=small_home.path, region="eu-west-1", quietly=True)
    settings = environment()
    assert corelab.connect(quietly=True) == first
    assert environment() == settings


def test_disconnecting_gives_the_environment_back(small_home: Home) -> None:
    before = environment()
    corelab.connect(home=small_home.path, quietly=True)
    corelab.connect(home=small_home.path, region="eu-west-1", quietly=True)
    corelab.disconnect()
    assert environment() == before
    corelab.disconnect()
    assert environment() == before


def test_the_region_comes_from_the_argument_then_the_environment(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    assert corelab.connect(home=small_home.path, quietly=True).region == "ap-south-1"
    assert corelab.connect(region="eu-west-2", quietly=True).region == "eu-west-2"


@pytest.mark.parametrize("region", ["", "Frankfurt", "us_east_1", "us-east-1 ", "eu-west-1/../x"])
def test_a_region_that_cannot_be_one_is_refused(small_home: Home, region: str) -> None:
    with pytest.raises(BadArgument, match="us-east-1"):
        corelab.connect(home=small_home.path, region=region)


def test_the_argument_wins_over_the_environment_s_target(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORELAB_TARGET", "aws")
    assert corelab.connect("local", home=small_home.path, quietly=True).target == "local"


def test_an_unknown_target_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadArgument, match="'local' or 'aws', not 'azure'"):
        corelab.connect("azure")
    monkeypatch.setenv("CORELAB_TARGET", "cloud")
    with pytest.raises(BadArgument, match="CORELAB_TARGET"):
        corelab.connect()


def test_a_server_of_another_version_is_pointed_out(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corelab, "__version__", "9.9")
    assert "corelab down" in str(corelab.connect(home=small_home.path, quietly=True).note)


def test_on_aws_nothing_is_rerouted(aws_account: str, capsys: pytest.CaptureFixture[str]) -> None:
    connection = corelab.connect("aws")
    assert (connection.target, connection.region, connection.account) == ("aws", "eu-west-1", "123456789012")
    assert boto3.client("sagemaker").meta.endpoint_url == aws_account
    assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIAIOSFODNN7EXAMPLE"
    assert events._local_url is None
    printed = capsys.readouterr().out
    assert "AWS: real money" in printed
    assert "https://eu-west-1.console.aws.amazon.com/sagemaker/" in printed
    assert connection.identity in printed


def test_the_target_stays_until_another_is_named(aws_account: str, small_home: Home) -> None:
    before = environment()
    corelab.connect("aws", region="us-west-2", quietly=True)
    again = corelab.connect(quietly=True)
    assert (again.target, again.region) == ("aws", "us-west-2")
    assert corelab.connect("local", home=small_home.path, quietly=True).region == "eu-west-1"
    assert corelab.connect("aws", quietly=True).region == "eu-west-1"
    corelab.disconnect()
    assert environment() == before


def test_without_credentials_aws_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(AccountError, match="aws configure"):
        corelab.connect("aws")


def test_without_a_region_aws_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AccountError, match="No AWS region"):
        corelab.connect("aws")


def test_a_profile_that_does_not_exist_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AccountError, match="nobody"):
        corelab.connect("aws")
    with pytest.raises(AccountError, match="nobody"):
        corelab.connect("aws", region="us-east-1")


def test_the_local_cloud_s_credentials_are_not_taken_to_aws(
    small_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALOCALSAGEMAKER00")
    with pytest.raises(AccountError, match="corelab env --unset"):
        corelab.connect("aws", region="us-east-1")


def test_a_failed_connection_to_aws_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = environment()
    with pytest.raises(AccountError):
        corelab.connect("aws", region="us-east-1")
    assert environment() == before


def test_the_extension_connects_and_disconnects(small_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORELAB_HOME", str(small_home.path))
    corelab.load_ipython_extension(None)
    assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIALOCALSAGEMAKER00"
    corelab.unload_ipython_extension(None)
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_a_process_that_forgets_to_disconnect_ends_at_once_and_leaves_the_server(small_home: Home) -> None:
    script = "import corelab, sys; corelab.connect(home=sys.argv[1])"
    ended = subprocess.run(
        [sys.executable, "-c", script, small_home.path], capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    server = small_home.running()
    assert server is not None
    assert launch.healthy(server)


def test_a_server_that_ended_is_started_again_where_it_was(small_home: Home) -> None:
    first = corelab.connect(home=small_home.path, quietly=True)
    launch.stop(small_home)
    launch.ensure(small_home, int(str(first.url).rpartition(":")[2]), STAND_IN)
    assert corelab.connect(quietly=True) == first


def test_a_thing_has_a_page_in_the_console_while_the_local_cloud_is_connected(
    small_home: Home, small_server: ServerInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert console_page("training", "a-job") is None
    corelab.connect(home=small_home.path, quietly=True)
    assert console_page("training", "a/b") == f"{small_server.url}/_corelab/console/training/a%2Fb"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    assert console_page("tuning", "search") == "/user/ada/corelab/tuning/search"
