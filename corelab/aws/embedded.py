"""moto inside this process: the only place that says how it is set up.

Import this before any module of moto: moto reads part of its settings while it is imported.
"""

from __future__ import annotations

import os
from typing import Any

ACCOUNT = "123456789012"
PARTITION = "aws"
DEFAULT_REGION = "us-east-1"

os.environ.update(
    MOTO_ACCOUNT_ID=ACCOUNT,
    MOTO_ALLOW_NONEXISTENT_REGION="true",
    MOTO_DISABLE_GLOBAL_CORS="1",
    # AWS's 1,400 managed policies cost 14 MB; ours are read one by one when they are named.
    MOTO_IAM_LOAD_MANAGED_POLICIES="false",
    S3_IGNORE_SUBDOMAIN_BUCKETNAME="1",
)

# The settings above must stand before this line runs.
from moto.core import common_models  # noqa: E402


def _new(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)


# moto lists every model ever made for its dashboard, which we do not serve: some 5 KB a write, for ever.
common_models.BaseModel.__new__ = _new  # type: ignore[method-assign]
