"""AWS's validation texts: the specification's own cases, and every single mutation of generated requests."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from corelab.errors import AWSError
from corelab.wire.model import SERVICES, Operation, operation, service_model
from corelab.wire.validate import compiled, validate

CREATE = operation("sagemaker", "CreateTrainingJob")
TUNE = operation("sagemaker", "CreateHyperParameterTuningJob")
CONFIG = operation("sagemaker", "CreateEndpointConfig")
MUTATED = [
    CREATE,
    TUNE,
    CONFIG,
    *(
        operation("sagemaker", name)
        for name in (
            "CreateTransformJob",
            "CreateModel",
            "CreateEndpoint",
            "ListTrainingJobs",
            "AddTags",
            "Search",
        )
    ),
    operation("sagemaker-metrics", "BatchPutMetrics"),
    operation("application-autoscaling", "PutScalingPolicy"),
]

DRAWN = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def training_job(**changes: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}}
    return {
        "TrainingJobName": "job-1",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/LabRole",
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    } | changes


def variant(instance_type: str) -> dict[str, Any]:
    return {"VariantName": "v", "ModelName": "m", "InstanceType": instance_type, "InitialInstanceCount": 1}


def message(operation: Operation, params: dict[str, Any]) -> str:
    with pytest.raises(AWSError) as raised:
        validate(operation, params)
    assert (raised.value.code, raised.value.status) == ("ValidationException", 400)
    assert raised.value.message is not None
    return raised.value.message


def clauses(operation: Operation, params: dict[str, Any]) -> set[str]:
    head, _, tail = message(operation, params).partition(" detected: ")
    found = tail.split("; ")
    assert head == (f"{len(found)} validation errors" if len(found) > 1 else "1 validation error")
    return set(found)


def failed(value: str, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


NAME_PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
AT_MOST_63 = "Member must have length less than or equal to 63"


def test_a_sound_request_passes_unchanged() -> None:
    params = training_job()
    assert validate(CREATE, params) is params


def test_fact_11_64_letters_break_pattern_and_length() -> None:
    name = "a" * 64
    assert clauses(CREATE, training_job(TrainingJobName=name)) == {
        failed(name, "trainingJobName", NAME_PATTERN),
        failed(name, "trainingJobName", AT_MOST_63),
    }


def test_fact_11_65_characters_with_two_dashes_break_the_length_only() -> None:
    name = "a-" + "b" * 61 + "-c"
    assert message(CREATE, training_job(TrainingJobName=name)) == (
        f"1 validation error detected: {failed(name, 'trainingJobName', AT_MOST_63)}"
    )


@pytest.mark.parametrize("name", ["a_b", "-a", "a-", "a.b", "a b", "é", "a\n"])
def test_fact_12_a_name_of_other_characters_breaks_the_pattern(name: str) -> None:
    assert clauses(CREATE, training_job(TrainingJobName=name)) == {
        failed(name, "trainingJobName", NAME_PATTERN)
    }


def test_fact_13_a_tuning_jobs_name_has_at_most_32_characters() -> None:
    config = {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}}
    found = clauses(TUNE, {"HyperParameterTuningJobName": "a" * 33, "HyperParameterTuningJobConfig": config})
    path = "hyperParameterTuningJobName"
    assert failed("a" * 33, path, "Member must have length less than or equal to 32") in found


@pytest.mark.parametrize("instance_type", ["ml.nope", "ml.c7g.large"])
def test_fact_14_an_instance_type_training_does_not_know_breaks_the_enum(instance_type: str) -> None:
    resources = {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": 30}
    (found,) = clauses(CREATE, training_job(ResourceConfig=resources))
    assert found.startswith(
        failed(instance_type, "resourceConfig.instanceType", "Member must satisfy enum value set: [ml.")
    )
    assert found.endswith("]")


def test_fact_14_hosting_has_another_list_of_instance_types() -> None:
    good = {"EndpointConfigName": "c", "ProductionVariants": [variant("ml.c7g.large")]}
    assert validate(CONFIG, good) is good
    bad = {"EndpointConfigName": "c", "ProductionVariants": [variant("ml.m5.large"), variant("ml.m7g.large")]}
    (found,) = clauses(CONFIG, bad)
    assert "Value 'ml.m7g.large' at 'productionVariants.2.member.instanceType'" in found


def test_fact_15_all_violations_come_in_one_answer() -> None:
    params = training_job()
    params["InputDataConfig"][0]["ChannelName"] = "a/b"
    params["ResourceConfig"]["InstanceType"] = "ml.nope"
    text = message(CREATE, params)
    assert text.startswith("2 validation errors detected: Value '")
    assert "; Value '" in text


def test_fact_16_channels_have_names_of_plain_characters_and_are_at_most_20() -> None:
    params = training_job()
    params["InputDataConfig"][0]["ChannelName"] = "a/b"
    pattern = r"Member must satisfy regular expression pattern: [A-Za-z0-9\.\-_]+"
    assert clauses(CREATE, params) == {failed("a/b", "inputDataConfig.1.member.channelName", pattern)}
    many = [training_job()["InputDataConfig"][0] | {"ChannelName": f"c{i}"} for i in range(21)]
    text = message(CREATE, training_job(InputDataConfig=many))
    assert text.startswith(
        "1 validation error detected: Value '[Channel(channelName=c0, dataSource=DataSource("
    )
    assert text.endswith(
        "at 'inputDataConfig' failed to satisfy constraint: Member must have length less than or equal to 20"
    )


def test_fact_17_the_models_own_minimum_lets_zero_training_instances_pass() -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 30}
    assert validate(CREATE, training_job(ResourceConfig=resources))


def test_fact_18_hyperparameter_values_and_their_number_are_bounded() -> None:
    long = {"eta": "x" * 2501}
    assert clauses(CREATE, training_job(HyperParameters=long)) == {
        failed(
            "{eta=" + "x" * 2501 + "}",
            "hyperParameters",
            "Map value must satisfy constraint: [Member must have length less than or equal to 2500, "
            "Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: .*]",
        )
    }
    many = {f"k{i}": "1" for i in range(101)}
    text = message(CREATE, training_job(HyperParameters=many))
    assert text.endswith(
        "at 'hyperParameters' failed to satisfy constraint: Member must have length less than or equal to 100"
    )


def test_fact_19_max_results_is_at_most_100() -> None:
    assert clauses(operation("sagemaker", "ListTrainingJobs"), {"MaxResults": 101}) == {
        failed("101", "maxResults", "Member must have value less than or equal to 100")
    }


def test_fact_20_a_role_arn_has_an_account_of_12_digits() -> None:
    (found,) = clauses(CREATE, training_job(RoleArn="arn:aws:iam::1:role/x"))
    assert found.startswith(
        "Value 'arn:aws:iam::1:role/x' at 'roleArn' failed to satisfy constraint: Member must"
    )
    assert "regular expression pattern: arn:aws" in found


def test_a_missing_or_null_member_is_null_at_its_path() -> None:
    params = training_job(RoleArn=None)
    del params["InputDataConfig"][0]["DataSource"]
    text = "failed to satisfy constraint: Member must not be null"
    assert clauses(CREATE, params) == {
        f"Value null at 'roleArn' {text}",
        f"Value null at 'inputDataConfig.1.member.dataSource' {text}",
    }


def test_the_scalars_of_a_list_and_the_keys_of_a_map_are_judged_together() -> None:
    tags = clauses(
        operation("sagemaker", "DeleteTags"), {"ResourceArn": "arn:aws:x", "TagKeys": ["ok", "", "n!"]}
    )
    (found,) = [clause for clause in tags if "tagKeys" in clause]
    assert found.startswith(
        "Value '[ok, , n!]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, "
    )
    (keys,) = clauses(CREATE, training_job(HyperParameters={"k" * 257: "v"}))
    assert (
        "at 'hyperParameters' failed to satisfy constraint: Map keys must satisfy constraint: [Member" in keys
    )


def test_nulls_inside_of_lists_and_maps_are_violations() -> None:
    (in_map,) = clauses(CREATE, training_job(HyperParameters={"eta": None}))
    assert in_map.startswith("Value '{eta=null}' at 'hyperParameters'")
    assert in_map.endswith(", Member must not be null]")
    assert clauses(CREATE, training_job(Tags=[None])) == {
        "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"
    }


def test_an_integer_is_one_of_32_bits() -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2**31}
    assert clauses(CREATE, training_job(ResourceConfig=resources)) == {
        failed(
            str(2**31),
            "resourceConfig.volumeSizeInGB",
            "Member must have value less than or equal to 2147483647",
        )
    }


def test_the_runtime_calls_its_validation_error_by_its_own_name() -> None:
    invoke = operation("sagemaker-runtime", "InvokeEndpoint")
    with pytest.raises(AWSError) as raised:
        validate(invoke, {"EndpointName": "a_b", "Body": b""})
    assert raised.value.code == "ValidationError"
    assert "at 'endpointName'" in str(raised.value.message)


def test_an_invocations_size_is_not_the_models_business() -> None:
    params = {"EndpointName": "e", "Body": bytes(7 << 20)}
    assert validate(operation("sagemaker-runtime", "InvokeEndpoint"), params) is params


def test_a_secret_value_is_not_echoed() -> None:
    invoke = operation("sagemaker-runtime", "InvokeEndpoint")
    with pytest.raises(AWSError) as raised:
        validate(invoke, {"EndpointName": "e", "Body": b"", "CustomAttributes": "s" * 1025})
    assert str(raised.value.message) == (
        "1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: "
        "Member must have length less than or equal to 1024"
    )


def test_not_a_number_is_within_no_bounds() -> None:
    weights = [variant("ml.m5.large") | {"InitialVariantWeight": float("nan")}]
    (found,) = clauses(CONFIG, {"EndpointConfigName": "c", "ProductionVariants": weights})
    assert "Member must have value greater than or equal to 0" in found


def test_a_flood_of_violations_is_counted_whole_and_told_in_part() -> None:
    tags = [{"Key": "", "Value": "v" * 300} for _ in range(5000)]
    text = message(CREATE, training_job(Tags=tags))
    assert text.startswith("10001 validation errors detected: ")
    assert len(text) < 100_000


def test_recursive_shapes_are_walked_to_their_end() -> None:
    expression: dict[str, Any] = {"Filters": [{"Name": ""}]}
    for _ in range(10):
        expression = {"SubExpressions": [expression]}
    found = clauses(
        operation("sagemaker", "Search"), {"Resource": "TrainingJob", "SearchExpression": expression}
    )
    path = "searchExpression" + ".subExpressions.1.member" * 10 + ".filters.1.member.name"
    assert found == {
        failed("", path, "Member must have length greater than or equal to 1"),
        failed("", path, "Member must satisfy regular expression pattern: .+"),
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_the_models_compiles(service: str) -> None:
    model = service_model(service)
    patterns = {shape.metadata.get("pattern") for shape in map(model.shape_for, model.shape_names)}
    for pattern in patterns - {None}:
        assert compiled(pattern).fullmatch("\x00" * 5000, timeout=5) is None or pattern


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "clé 名 ٣", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "a!", False),
        (r"\d+", "٣", False),
        (r"\p{ASCII}*", "é", False),
        (r"\A\S[\p{Print}]*\z", "a b", True),
        (r"\A\S[\p{Print}]*\z", "a\n", False),
        (r".*", "a\rb", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a😀é", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\nb", False),
    ],
)
def test_patterns_mean_what_they_mean_in_java(pattern: str, value: str, matches: bool) -> None:
    assert (compiled(pattern).fullmatch(value) is not None) is matches


def test_a_pattern_that_explodes_is_given_up_and_counts_as_broken() -> None:
    shape = service_model("sagemaker").shape_for("ClusterSchedulerPriorityClassName")
    make = operation("sagemaker", "CreateClusterSchedulerConfig")
    params = {"SchedulerConfig": {"PriorityClasses": [{"Name": "a" * 60 + "!", "Weight": 1}]}}
    assert any(f"pattern: {shape.metadata['pattern']}" in clause for clause in clauses(make, params))


Site = tuple[str, dict[str, Any], str, Any]


def sites(shape: Any, value: dict[str, Any], path: str = "") -> Iterator[Site]:
    """Every structure member that is there: its path, where it lives, its name and its shape."""
    for name, item in value.items():
        member = shape.members[name]
        here = f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")
        yield here, value, name, member
        if member.type_name == "structure":
            yield from sites(member, item, here)
        elif member.type_name == "list" and member.member.type_name == "structure":
            for position, entry in enumerate(item, start=1):
                yield from sites(member.member, entry, f"{here}.{position}.member")


def mutations(shape: Any, value: Any) -> list[Any]:
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    match shape.type_name:
        case "string":
            made = [f"{value}!", f"{value}\n", "", " ", "no such value"]
            return [*made, "x" * ((most or 0) + 1)]
        case "integer" | "long" | "float" | "double":
            return [(most or 0) + 1, (least or 0) - 1]
        case "list" | "map" if least:
            return [type(value)()]
    return []


def broken(shape: Any, value: Any) -> set[str]:
    """The constraints a lone value breaks, read off the model once more and more plainly."""
    meta, size = shape.metadata, value
    word = "value"
    if shape.type_name in ("string", "list", "map"):
        size, word = len(value), "length"
    found = set()
    if "max" in meta and size > meta["max"]:
        found.add(f"Member must have {word} less than or equal to {meta['max']}")
    if "min" in meta and size < meta["min"]:
        found.add(f"Member must have {word} greater than or equal to {meta['min']}")
    if meta.get("enum") and value not in meta["enum"]:
        found.add(f"Member must satisfy enum value set: [{', '.join(meta['enum'])}]")
    if "pattern" in meta and not compiled(meta["pattern"]).fullmatch(value):
        found.add(f"Member must satisfy regular expression pattern: {meta['pattern']}")
    return found


@pytest.mark.parametrize("operation", MUTATED, ids=lambda operation: operation.name)
@DRAWN
@given(data=st.data())
def test_each_single_mutation_of_a_valid_request_yields_exactly_its_clauses(
    operation: Operation, values_of: Any, data: st.DataObject
) -> None:
    shape = operation.model.input_shape
    params = data.draw(values_of(shape))
    assert validate(operation, copy.deepcopy(params)) == params
    choices = [
        (site, wrong)
        for site in sites(shape, params)
        for wrong in mutations(site[3], site[1][site[2]])
        if broken(site[3], wrong)
    ]
    assume(choices)
    (path, holder, name, member), wrong = data.draw(st.sampled_from(choices))
    holder[name] = wrong
    shown = "{}" if wrong == {} else str(wrong)
    expected = {failed(shown, path, constraint) for constraint in broken(member, wrong)}
    assert clauses(operation, params) == expected


@pytest.mark.parametrize(
    "operation",
    [found for found in MUTATED if found.model.input_shape.required_members],
    ids=lambda operation: operation.name,
)
@DRAWN
@given(data=st.data())
def test_each_required_member_taken_away_is_missed_at_its_path(
    operation: Operation, values_of: Any, data: st.DataObject
) -> None:
    shape = operation.model.input_shape
    params = data.draw(values_of(shape))
    path, holder, name = data.draw(st.sampled_from(list(required_sites(shape, params))))
    del holder[name]
    text = "failed to satisfy constraint: Member must not be null"
    assert clauses(operation, params) == {f"Value null at '{path}' {text}"}


def required_sites(shape: Any, params: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield from ((name[0].lower() + name[1:], params, name) for name in shape.required_members)
    for path, holder, name, member in sites(shape, params):
        entries = {path: holder[name]} if member.type_name == "structure" else {}
        if member.type_name == "list" and member.member.type_name == "structure":
            member = member.member
            entries = {f"{path}.{i}.member": entry for i, entry in enumerate(holder[name], start=1)}
        for where, entry in entries.items():
            yield from ((f"{where}.{n[0].lower()}{n[1:]}", entry, n) for n in member.required_members)
