"""Every call is written down and can be asked for."""

from __future__ import annotations

from pathlib import Path

from corelab.resources.journal import Call, Journal


def test_calls_read_back_newest_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    calls = [Call(float(n), 0.1, "s3", "GetObject", resource=f"b/{n}", detail={"n": n}) for n in range(300)]
    for call in calls:
        journal.add(call)
    assert journal.find(service="s3") == calls[::-1]
    assert journal.find(service="sagemaker") == []
    journal.close()


def test_calls_survive_a_new_journal_on_the_same_file(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.db")
    first.add(Call(1.0, 0.1, "sagemaker", "CreateModel", error="ValidationException", status=400))
    first.close()
    second = Journal(tmp_path / "journal.db")
    assert [c.error for c in second.find(operation="CreateModel")] == ["ValidationException"]
    second.close()
