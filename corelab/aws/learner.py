"""The identity the course begins with: one role, what it may do, and the requests that make it."""

from __future__ import annotations

import json

from corelab.aws.identity import LEARNER_ROLE

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}

# What a student does besides training: look at logs and alarms, make roles for the debugging labs.
_COURSE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "iam:*",
                "sts:*",
                "logs:*",
                "cloudwatch:*",
                "ecr:*",
                "sagemaker:*",
                "application-autoscaling:*",
                "servicequotas:*",
            ],
            "Resource": "*",
        }
    ],
}

LEARNER_REQUESTS: tuple[dict[str, str], ...] = (
    {
        "Action": "CreateRole",
        "RoleName": LEARNER_ROLE,
        "AssumeRolePolicyDocument": json.dumps(_TRUST),
        "Description": "The role of this course: the learner works in it, and SageMaker assumes it.",
    },
    {
        "Action": "AttachRolePolicy",
        "RoleName": LEARNER_ROLE,
        "PolicyArn": "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess",
    },
    {
        "Action": "AttachRolePolicy",
        "RoleName": LEARNER_ROLE,
        "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    },
    {
        "Action": "PutRolePolicy",
        "RoleName": LEARNER_ROLE,
        "PolicyName": "Course",
        "PolicyDocument": json.dumps(_COURSE),
    },
)
