"""In local mode no botocore request leaves the machine, whenever its client was made."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import handlers
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

import corelab
from corelab.connection import events
from corelab.errors import RequestRefused
from corelab.home import Home, ServerInfo

KEYS = {"aws_access_key_id": "AKIALOCALSAGEMAKER00", "aws_secret_access_key": "x"}


@dataclass
class Request:
    url: str


def sts(**settings: Any) -> Any:
    return boto3.Session(region_name="eu-west-1", **KEYS).client(
        "sts", endpoint_url="https://sts.eu-west-1.amazonaws.com", **settings
    )


def test_the_sdks_hard_coded_sts_address_reaches_the_local_server(small_home: Home) -> None:
    corelab.connect(home=small_home.path, quietly=True)
    assert sts().get_caller_identity()["Account"] == "123456789012"


def test_a_client_made_before_connecting_is_rerouted_too(small_home: Home) -> None:
    early = sts()
    early_session = boto3.Session(region_name="eu-west-1", **KEYS)
    corelab.connect(home=small_home.path, quietly=True)
    assert early.get_caller_identity()["Account"] == "123456789012"
    late = early_session.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
    assert late.get_caller_identity()["Account"] == "123456789012"


def test_a_client_that_still_has_an_aws_address_is_refused_and_told_why(small_home: Home) -> None:
    early = boto3.client("sagemaker", region_name="us-east-1", **KEYS)
    corelab.connect(home=small_home.path, quietly=True)
    with pytest.raises(RequestRefused, match="make it again"):
        early.list_training_jobs()


@pytest.mark.parametrize(
    "host",
    ["s3.us-east-1.amazonaws.com", "bucket.s3.amazonaws.com", "iam.amazonaws.com.cn", "example.com", "10.0.0.1",
     "sts.us-east-1.amazonaws.com.example.com", "sts.example.com", "localhost.example.com", "169.254.169.254"],
)  # fmt: skip
def test_no_other_machine_is_reached(small_server: ServerInfo, host: str) -> None:
    events.stay_on(small_server.url)
    with pytest.raises(RequestRefused, match="would leave this machine"):
        events.keep_local(Request(f"https://{host}/path?query=1"))


@pytest.mark.parametrize(
    "host",
    ["sts.amazonaws.com", "sts.us-east-1.amazonaws.com", "sts-fips.us-east-1.amazonaws.com",
     "sts.cn-north-1.amazonaws.com.cn", "sts.us-east-1.api.aws"],
)  # fmt: skip
def test_every_sts_address_leads_home_with_its_path_and_query(small_server: ServerInfo, host: str) -> None:
    events.stay_on(small_server.url)
    request = Request(f"https://{host}/path?query=1")
    events.keep_local(request)
    assert request.url == f"{small_server.url}/path?query=1"


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:9", "[::1]:9", "bucket.localhost:9"])
def test_other_programs_on_this_machine_may_be_called(small_server: ServerInfo, host: str) -> None:
    events.stay_on(small_server.url)
    request = Request(f"http://{host}/")
    events.keep_local(request)
    assert request.url == f"http://{host}/"


def test_on_aws_the_fixed_sts_address_gives_way_to_one_s_own_only() -> None:
    events.roam({})
    events.ask_sts_at("http://127.0.0.1:9")
    asked, other = Request("https://sts.eu-west-1.amazonaws.com/x"), Request("https://s3.amazonaws.com/")
    events.keep_local(asked)
    events.keep_local(other)
    assert (asked.url, other.url) == ("http://127.0.0.1:9/x", "https://s3.amazonaws.com/")
    events.ask_sts_at("https://sts.eu-west-1.amazonaws.com")
    untouched = Request("https://sts.eu-west-1.amazonaws.com/x")
    events.keep_local(untouched)
    assert untouched.url == "https://sts.eu-west-1.amazonaws.com/x"


def test_after_disconnecting_requests_go_where_they_say(small_home: Home) -> None:
    corelab.connect(home=small_home.path, quietly=True)
    client = boto3.Session(region_name="us-east-1", **KEYS).client(
        "sagemaker", endpoint_url="https://127.0.0.1:9"
    )
    corelab.disconnect()
    request = Request("https://s3.amazonaws.com/")
    events.keep_local(request)
    assert request.url == "https://s3.amazonaws.com/"
    with pytest.raises(EndpointConnectionError):
        client.list_training_jobs()


def test_connecting_often_registers_each_handler_once(small_home: Home) -> None:
    before = list(handlers.BUILTIN_HANDLERS)
    for _ in range(3):
        corelab.connect(home=small_home.path, quietly=True)
    assert len(handlers.BUILTIN_HANDLERS) == len(before) + len(events._EVENTS)
    corelab.disconnect()
    assert before == handlers.BUILTIN_HANDLERS


def test_sagemaker_core_s_memory_size_gets_the_name_botocore_knows() -> None:
    asked = {
        "ProductionVariants": [
            {"VariantName": "a", "ServerlessConfig": {"MemorySizeInMb": 2048, "MaxConcurrency": 5}}
        ]
    }
    kept = copy.deepcopy(asked)
    mended = events.mend_memory_size(asked)
    assert mended == {
        "ProductionVariants": [
            {"VariantName": "a", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
        ]
    }
    assert asked == kept


json = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["ServerlessConfig", "VariantName", "x"]), inner)
    ),
)


@given(
    st.dictionaries(
        st.sampled_from(["ProductionVariants", "ShadowProductionVariants", "EndpointConfigName"]), json
    )
)
def test_whatever_else_is_asked_stays_as_it_is(params: dict[str, Any]) -> None:
    mended = events.mend_memory_size(params)
    assert params == (params if mended is None else mended)
