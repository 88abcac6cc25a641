"""Submissions to a4_serverless_endpoint."""

from __future__ import annotations

from .cases import Bank

BANK = Bank("a4_serverless_endpoint", quick=("no_serializer",))
_SERVERLESS = 'ProductionVariant(variant_name="AllTraffic", model_name=run, serverless_config=plan)'
_MACHINE = _SERVERLESS.replace(
    "serverless_config=plan", 'initial_instance_count=1, instance_type="ml.m5.large"'
)

BANK.wrong("a_machine_in_place_of_serverless",
           "config_check cold_starts_check too_many_check cost_of_thousand_check break_even_check update_check",
           "serverless", ("create_config", _SERVERLESS, _MACHINE), row=55)  # fmt: skip
BANK.wrong("invoked_before_it_is_in_service", "statuses_check deployment_time_check", "",
           ("create_endpoint", 'while endpoint.endpoint_status == "Creating":', "while False:"),
           row=57)  # fmt: skip
BANK.wrong("second_method_is_a_copy", "method_two_check", "reach this endpoint",
           ("method_two", "[float(row[0]) for row in as_csv.predict(features[:5])]", "runtime_probability"),
           ("method_two", '[entry["score"] for entry in as_json.predict(features[:5])["predictions"]]',
            "list(runtime_probability)"), row=59)  # fmt: skip
BANK.wrong("no_serializer", "method_two_check", "",
           ("method_two", "serializer=CSVSerializer(), deserializer=CSVDeserializer()", ""), row=59)  # fmt: skip
BANK.wrong("percentiles_of_something_else", "latency_check", "",
           ("latency", "np.percentile(latencies_ms, [50, 95])", "np.percentile(latencies_ms, [5, 50])"))  # fmt: skip
BANK.wrong("nothing_cleaned_up", "clean_up_check", "", ("clean_up", "left.delete()", "pass"),
           ("clean_up", "left.wait_for_delete(poll=1)", "pass"))  # fmt: skip
BANK.right("more_memory", ("plan", "memory_size_in_mb=1024", "memory_size_in_mb=2048"))
BANK.right("waits_with_the_sdk",
           ("create_endpoint", """while endpoint.endpoint_status == "Creating":
    time.sleep(0.1)
    endpoint.refresh()
    if endpoint.endpoint_status != statuses[-1]:
        statuses.append(endpoint.endpoint_status)""",
            'endpoint.wait_for_status("InService", poll=1)\n'
            "statuses.append(endpoint.refresh().endpoint_status)"))  # fmt: skip
