"""Bytes to shapes and back, by botocore's own service models; nothing here knows what SageMaker means.

HttpRequest ─ service_and_operation ─▶ Operation ─ parse ─▶ params ─ validate ─▶ params ─ find ─▶ function
HttpResponse ◀─ serialize ─ result                      HttpResponse ◀─ serialize_error, error_xml ─ AWSError
"""
