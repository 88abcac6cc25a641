"""Looks over an AWS account for what the course needs there; each finding comes with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from corelab.account.cleanup import leftovers
from corelab.account.cloud import Account
from corelab.account.estimate import Plan
from corelab.account.policy import Document, Place, shipped
from corelab.core.findings import Finding
from corelab.core.roles import trusts_sagemaker

_SERVICE = "sagemaker.amazonaws.com"


def examine(account: Account, plan: Plan) -> Iterator[Finding]:
    """Every finding about this identity in this region, as it is made; nothing is changed.

    Args:
        plan: what is going to run; its instance types are looked up in the account's quotas.
    """
    yield Finding("identity", account.identity)
    yield _region(account)
    if account.role is None:
        cure = "The notebooks' get_execution_role() wants a role: assume one (docs/aws.md, The role)."
        yield Finding("role", "none: this identity is a user", cure)
    else:
        yield from _role(account, account.role)
    yield _bucket(account)
    yield from _quotas(account, plan)
    yield _leftovers(account)


def _region(account: Account) -> Finding:
    from sagemaker import image_uris

    try:
        image = image_uris.retrieve("xgboost", account.region, "1.7-1")
    except ValueError:
        return Finding(
            "region",
            account.region,
            "XGBoost 1.7-1 is not offered there: set AWS_DEFAULT_REGION to another region.",
        )
    return Finding("region", f"{account.region}, image {image}")


def _role(account: Account, name: str) -> Iterator[Finding]:
    from botocore.exceptions import ClientError

    iam = account.client("iam")
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        yield _refused("role", error)
        return
    trusted = trusts_sagemaker(role["AssumeRolePolicyDocument"])
    cure = f"Let {_SERVICE} assume it: docs/aws.md, The role, has the trust policy."
    yield Finding(
        "trust",
        f"{role['Arn']} {'trusts' if trusted else 'does not trust'} SageMaker",
        "" if trusted else cure,
    )
    place = Place(account.number, account.region, name)
    for words, policy in (("calls", "iam-policy"), ("jobs", "iam-jobs-policy")):
        try:
            denied = sorted(set(_denied(iam, role["Arn"], shipped(policy, place))))
        except ClientError as error:
            yield _refused("permissions", error)
            return
        option = " --jobs" if words == "jobs" else ""
        cure = (
            f"Add them to the role: `corelab policy{option} --account {place.account} --region {place.region} "
            f"--role {name}` prints the whole policy."
        )
        found = f"all that {words} need are there" if not denied else f"{words} lack {', '.join(denied)}"
        yield Finding("permissions", found, cure if denied else "")


def _denied(iam: Any, role: str, policy: Document) -> Iterator[str]:
    """The actions of a policy that the role's own policies do not allow, by IAM's simulator."""
    context = [
        {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": [_SERVICE], "ContextKeyType": "string"}
    ]
    for statement in policy["Statement"]:
        resource = statement["Resource"]
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=statement["Action"],
            ResourceArns=[resource if resource == "*" else resource.replace("*", "corelab")],
            ContextEntries=context,
        )
        for result in answer["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                yield result["EvalActionName"]


def _bucket(account: Account) -> Finding:
    from botocore.exceptions import ClientError

    name = f"sagemaker-{account.region}-{account.number}"
    try:
        account.client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "404":
            return Finding("bucket", f"{name} is not there yet; the first notebook makes it")
        cure = "Allow s3:ListBucket on it; if the bucket belongs to another account, give the SDK another bucket."
        return Finding("bucket", f"{name} answers {code}", cure)
    return Finding("bucket", f"{name} is there")


def _quotas(account: Account, plan: Plan) -> Iterator[Finding]:
    from botocore.exceptions import ClientError

    try:
        pages = (
            account.client("service-quotas")
            .get_paginator("list_service_quotas")
            .paginate(ServiceCode="sagemaker")
        )
        values = {quota["QuotaName"]: quota["Value"] for page in pages for quota in page["Quotas"]}
    except ClientError as error:
        yield _refused("quotas", error)
        return
    for name, wanted in plan.quotas():
        value = int(values.get(name, 0))
        cure = f"Ask for {wanted} in Service Quotas, Amazon SageMaker, {name!r}; that may take a day."
        yield Finding(
            "quota", f"{name}: {value}, the course uses {wanted} at once", "" if value >= wanted else cure
        )


def _leftovers(account: Account) -> Finding:
    found = [f"{leftover.kind} {leftover.name}" for leftover in leftovers(account)]
    if not found:
        return Finding("leftovers", "none")
    return Finding("leftovers", _some(found), "Look at them: `corelab cleanup --target aws`.", grave=False)


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _refused(what: str, error: Any) -> Finding:
    """A question that this identity may not ask: nothing is known to be wrong."""
    told = error.response["Error"]
    return Finding(
        what,
        f"not known: {told['Code']}: {told['Message']}",
        "Allow that action, or look yourself.",
        grave=False,
    )
