"""STS: who am I, and temporary credentials that outlive the server."""

from __future__ import annotations

import base64
import secrets
import string
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.core.responses import ActionResult
from moto.sts.responses import TokenResponse

from corelab.aws.authorize import Gate
from corelab.aws.call import Answer, Call
from corelab.aws.embedded import ACCOUNT
from corelab.aws.identity import ASSUME, LEARNER_KEY, Principals
from corelab.aws.intake import read_document
from corelab.aws.operations import operation_of
from corelab.aws.policy import Decision
from corelab.aws.replay import ask
from corelab.errors import AWSError
from corelab.store.blobs import BlobFolder
from corelab.store.contract import Caller
from corelab.store.journal import Journal, Session

_LETTERS = string.ascii_uppercase + string.digits


class StsAnswers(TokenResponse):
    """STS's operations for one caller."""

    principals: ClassVar[Principals]
    journal: ClassVar[Journal]

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller

    def get_caller_identity(self) -> ActionResult:
        caller = self._caller
        return ActionResult(
            {"UserId": self.principals.user_id(caller), "Account": caller.account, "Arn": caller.arn}
        )

    def get_access_key_info(self) -> ActionResult:
        owner = self.principals.caller(self._get_param("AccessKeyId"))
        return ActionResult({"Account": owner.account if owner is not None else ACCOUNT})

    def get_session_token(self) -> ActionResult:
        """Source: STS API reference; the session goes by the caller's own name."""
        seconds = self._seconds(43200)
        session = self._open(self._caller.arn, self.principals.user_id(self._caller), seconds)
        return ActionResult({"Credentials": _credentials(session)})

    def assume_role(self) -> ActionResult:
        """Source: STS API reference, AssumeRole; trust decides, except for the learner.

        The learner stands in for the account's administrator, who could rewrite any trust policy first.
        """
        arn, name = self._get_param("RoleArn"), self._get_param("RoleSessionName")
        role = self.principals.role(arn)
        if role is None or not self._may_assume(arn):
            text = f"User: {self._caller.arn} is not authorized to perform: {ASSUME} on resource: {arn}"
            raise AWSError("AccessDenied", text, 403)
        principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/{name}"
        session = self._open(principal, f"{role.id}:{name}", self._seconds(3600))
        user = {"AssumedRoleId": session.user_id, "Arn": principal}
        return ActionResult({"Credentials": _credentials(session), "AssumedRoleUser": user})

    def _may_assume(self, arn: str) -> bool:
        if self._caller.access_key == LEARNER_KEY:
            return True
        external = self._get_param("ExternalId")
        context = {"sts:ExternalId": external} if external else {}
        if not self.principals.trusts(arn, self.principals.names(self._caller.arn), context):
            return False
        return self.principals.judge(self._caller.arn, ASSUME, arn, context) is not Decision.EXPLICIT_DENY

    def _seconds(self, default: int) -> int:
        seconds = self._get_int_param("DurationSeconds", default)
        if not 900 <= seconds <= 129600:
            text = (
                f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy "
                "constraint: Member must have value greater than or equal to 900"
            )
            raise AWSError("ValidationError", text)
        return seconds

    def _open(self, principal: str, user_id: str, seconds: int) -> Session:
        session = Session(
            access_key="ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)),
            secret=base64.b64encode(secrets.token_bytes(30)).decode(),
            token=base64.b64encode(secrets.token_bytes(200)).decode(),
            principal=principal,
            user_id=user_id,
            expires=time.time() + seconds,
        )
        self.journal.open_session(session)
        return session


class Sts:
    """The STS service."""

    def __init__(self, principals: Principals, journal: Journal, blobs: BlobFolder, gate: Gate) -> None:
        StsAnswers.principals = principals
        StsAnswers.journal = journal
        self._blobs = blobs
        self._gate = gate

    def answer(self, call: Call) -> Answer:
        body = read_document(call.environ, self._blobs)
        operation, parameters = operation_of(call, body)
        self._gate.check(call, operation, parameters)
        assert call.caller is not None
        return ask(StsAnswers(call.caller), call, body, operation)


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.access_key,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": datetime.fromtimestamp(session.expires, UTC),
    }
