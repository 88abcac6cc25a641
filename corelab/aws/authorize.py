"""Which IAM permissions a request needs. Source: Service Authorization Reference, actions by API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from corelab.aws.actions import PASS_ROLE, Permission
from corelab.aws.call import Call
from corelab.aws.embedded import ACCOUNT
from corelab.aws.identity import LEARNER_KEY, Principals
from corelab.aws.policy import Decision
from corelab.errors import AWSError
from corelab.store.contract import Caller

Query = Mapping[str, list[str]]
_PREFIXES = {"monitoring": "cloudwatch"}
# Services that speak JSON name the error otherwise than those that speak XML.
_JSON = frozenset(
    {"logs", "ecr", "sagemaker", "sagemaker-runtime", "application-autoscaling", "service-quotas"}
)
NEEDS = "corelab.needs"  # where a request's environ says what it takes, for the journal
_PASSED = {"iam:PassedToService": "sagemaker.amazonaws.com"}

_BUCKET: dict[str, dict[str, str]] = {
    "GET": {
        "location": "GetBucketLocation",
        "versions": "ListBucketVersions",
        "uploads": "ListBucketMultipartUploads",
        "policy": "GetBucketPolicy",
        "policyStatus": "GetBucketPolicyStatus",
        "cors": "GetBucketCORS",
        "tagging": "GetBucketTagging",
        "versioning": "GetBucketVersioning",
        "acl": "GetBucketAcl",
        "encryption": "GetEncryptionConfiguration",
        "lifecycle": "GetLifecycleConfiguration",
        "publicAccessBlock": "GetBucketPublicAccessBlock",
        "ownershipControls": "GetBucketOwnershipControls",
        "object-lock": "GetBucketObjectLockConfiguration",
        "": "ListBucket",
    },
    "PUT": {
        "policy": "PutBucketPolicy",
        "cors": "PutBucketCORS",
        "tagging": "PutBucketTagging",
        "versioning": "PutBucketVersioning",
        "acl": "PutBucketAcl",
        "encryption": "PutEncryptionConfiguration",
        "lifecycle": "PutLifecycleConfiguration",
        "publicAccessBlock": "PutBucketPublicAccessBlock",
        "ownershipControls": "PutBucketOwnershipControls",
        "object-lock": "PutBucketObjectLockConfiguration",
        "": "CreateBucket",
    },
    "DELETE": {
        "policy": "DeleteBucketPolicy",
        "cors": "PutBucketCORS",
        "tagging": "PutBucketTagging",
        "encryption": "PutEncryptionConfiguration",
        "lifecycle": "PutLifecycleConfiguration",
        "publicAccessBlock": "PutBucketPublicAccessBlock",
        "ownershipControls": "PutBucketOwnershipControls",
        "": "DeleteBucket",
    },
    "HEAD": {"": "ListBucket"},
}
_OBJECT: dict[str, dict[str, str]] = {
    "GET": {
        "acl": "GetObjectAcl",
        "tagging": "GetObjectTagging",
        "uploadId": "ListMultipartUploadParts",
        "retention": "GetObjectRetention",
        "legal-hold": "GetObjectLegalHold",
        "versionId": "GetObjectVersion",
        "": "GetObject",
    },
    "HEAD": {"versionId": "GetObjectVersion", "": "GetObject"},
    "PUT": {
        "acl": "PutObjectAcl",
        "tagging": "PutObjectTagging",
        "retention": "PutObjectRetention",
        "legal-hold": "PutObjectLegalHold",
        "": "PutObject",
    },
    "DELETE": {
        "uploadId": "AbortMultipartUpload",
        "tagging": "DeleteObjectTagging",
        "versionId": "DeleteObjectVersion",
        "": "DeleteObject",
    },
    "POST": {"": "PutObject"},
}


class Gate:
    """Lets a call through if its caller's policies do. Raises AWSError AccessDenied otherwise."""

    def __init__(self, principals: Principals) -> None:
        self._principals = principals

    def check(self, call: Call, operation: str, parameters: Mapping[str, object]) -> None:
        """For every service of moto's but S3."""
        self.require(call, permissions(call.service, call.region, operation, parameters))

    def check_ours(self, caller: Caller, asked: Sequence[Permission], service: str) -> None:
        """For our own services, in which the learner may do everything, whatever becomes of the learner's role."""
        if caller.access_key != LEARNER_KEY:
            self.permit(caller, asked, service)

    def require(self, call: Call, asked: Sequence[Permission]) -> None:
        """Note what a request to moto takes, and let it through or not."""
        self.note(call, asked)
        self.permit(call.caller, asked, call.service)

    def note(self, call: Call, asked: Sequence[Permission]) -> None:
        """Say in the request's environ what it takes, if anybody wants to know."""
        call.environ.get(NEEDS, []).extend(asked)

    def permit(self, caller: Caller | None, asked: Sequence[Permission], service: str) -> None:
        """The first permission that is lacking decides."""
        for action, resource in asked:
            decision = self.judge(caller, action, resource)
            if caller is None and decision is not Decision.ALLOWED:
                raise AWSError("AccessDenied", "Access Denied", 403)
            if caller is not None and decision is not Decision.ALLOWED:
                raise denied(caller.arn, action, resource, decision, service)

    def judge(self, caller: Caller | None, action: str, resource: str) -> Decision:
        """Anonymous callers have nothing but a bucket's policy to speak for them."""
        if caller is None:
            return self._principals.judge_anonymous(action, resource)
        context = _PASSED if action == PASS_ROLE else None
        return self._principals.judge(caller.arn, action, resource, context)

    def owner(self, access_key: str | None) -> Caller:
        """Who signed with a key. Raises S3's error for nobody."""
        caller = self._principals.caller(access_key)
        if caller is None:
            text = "The AWS Access Key Id you provided does not exist in our records."
            raise AWSError("InvalidAccessKeyId", text, 403, {"AWSAccessKeyId": access_key or ""})
        return caller


def s3_permissions(call: Call, bucket: str, key: str, query: Query) -> list[Permission]:
    """What a request to S3 needs; a batch of deletions is judged key by key when its keys are known."""
    # A preflight is anonymous by nature; a form or a batch names its keys in its body.
    if call.method == "OPTIONS" or (call.method == "POST" and not key):
        return []
    if not bucket:
        return [("s3:ListAllMyBuckets", "arn:aws:s3:::*")]
    table = (_OBJECT if key else _BUCKET).get(call.method, {})
    action = next((table[name] for name in table if name in query), table.get("", "GetObject"))
    needed = [(f"s3:{action}", object_arn(bucket, key))]
    # Who copies reads as well.
    source = call.environ.get("HTTP_X_AMZ_COPY_SOURCE")
    if source and key:
        path = unquote(str(source).partition("?")[0]).lstrip("/")
        needed.append(("s3:GetObject", f"arn:aws:s3:::{path}"))
    return needed


def permissions(
    service: str, region: str, operation: str, parameters: Mapping[str, object]
) -> list[Permission]:
    """What a request to any other service needs; nobody needs leave to ask who they are."""
    if operation in ("GetCallerIdentity", "GetSessionToken", "AssumeRole"):
        return []
    resource = _RESOURCES[service](region, parameters) if service in _RESOURCES else "*"
    return [(f"{_PREFIXES.get(service, service)}:{operation}", resource)]


def object_arn(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def denied(arn: str, action: str, resource: str, decision: Decision, service: str) -> AWSError:
    """The error of a request that the policies do not allow, or forbid."""
    if decision is Decision.EXPLICIT_DENY:
        reason = "with an explicit deny in an identity-based policy"
    else:
        reason = f"because no identity-based policy allows the {action} action"
    code = "AccessDeniedException" if service in _JSON else "AccessDenied"
    status = 400 if service in _JSON and service != "sagemaker-runtime" else 403
    shown = f'"{resource}"' if action.startswith("s3:") else resource
    text = f"User: {arn} is not authorized to perform: {action} on resource: {shown} {reason}"
    return AWSError(code, text, status)


def _iam_resource(region: str, parameters: Mapping[str, object]) -> str:
    for name, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if name in parameters:
            return f"arn:aws:iam::{ACCOUNT}:{kind}/{parameters[name]}"
    return str(parameters.get("PolicyArn") or parameters.get("PolicySourceArn") or "*")


def _logs_resource(region: str, parameters: Mapping[str, object]) -> str:
    name = parameters.get("logGroupName")
    if name is None:
        return str(parameters.get("logGroupIdentifier") or parameters.get("resourceArn") or "*")
    return (
        f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{name}:log-stream:{parameters.get('logStreamName', '')}"
    )


def _ecr_resource(region: str, parameters: Mapping[str, object]) -> str:
    name = parameters.get("repositoryName")
    return f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}" if name else "*"


_RESOURCES: dict[str, Callable[[str, Mapping[str, object]], str]] = {
    "iam": _iam_resource,
    "logs": _logs_resource,
    "ecr": _ecr_resource,
}
