"""What the console's answers hold, read without a browser."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

import corelab
from corelab.connection import launch
from tests.console.conftest import HOSTILE_KEY, Site


def test_every_page_answers_and_names_no_other_machine(site: Site) -> None:
    for path in site.pages():
        answer, text = site.get(path)
        assert answer.status == 200, (path, text[-300:])
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text), path


def test_what_is_not_there_is_a_page_too(site: Site) -> None:
    for path in (
        "nowhere",
        "training/nobody",
        "s3/no-such-bucket",
        "logs?group=none",
        "models/..%2f..%2fetc",
    ):
        answer, text = site.get(path)
        assert answer.status == 404, path
        assert "Back to the first page" in text


def test_a_mark_that_somebody_made_up_is_refused(site: Site) -> None:
    for path in ("training?after=zzzz", "calls?before=yesterday"):
        assert site.get(path)[0].status == 400


def test_the_console_only_shows(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert site.get("training", method)[0].status == 405


def test_no_script_but_the_page_s_own_may_run_and_no_frame_may_hold_it(site: Site) -> None:
    policy = site.get("")[0].headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"script-src 'sha256-[^']+';", policy)


def test_a_page_of_another_origin_cannot_read_it_nor_a_foreign_host_name(site: Site) -> None:
    assert site.get("", Host="evil.example")[0].status == 403
    assert site.get("", Origin="https://evil.example")[0].status == 403
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    assert site.get("", **headers)[0].status == 403


def test_what_students_wrote_is_text(site: Site) -> None:
    for path in (f"s3/{site.lab.bucket}?prefix=evil/", f"s3/{site.lab.bucket}?key={quote(HOSTILE_KEY)}"):
        text = site.get(path)[1]
        assert "<img src=x" not in text
        assert "<script>document" not in text
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert html.escape("<img src=x onerror=") in text


def test_a_finished_job_shows_its_timeline_curves_and_log(site: Site) -> None:
    text = site.get(f"training/{site.trained}")[1]
    for phase in ("Starting", "Downloading", "Training", "Uploading", "Completed"):
        assert f"<td>{phase}</td>" in text
    assert re.search(r'aria-label="auc\. train: first 0\.\d+, last 0\.\d+"', text)
    assert "[11]#011train-auc:" in text


def test_a_failed_job_says_why_and_what_to_do(site: Site) -> None:
    text = site.get(f"training/{site.failed}")[1]
    assert "Extraneous hyperparameter found: max_depht" in text
    assert "n_estimators is num_round" in text


def test_a_list_is_filtered_by_name_and_status(site: Site) -> None:
    text = site.get("training?status=Failed")[1]
    assert site.failed in text
    assert site.trained not in text
    assert site.failed not in site.get(f"training?q={site.trained}")[1]


def test_an_endpoint_shows_its_invocations(site: Site) -> None:
    text = site.get(f"endpoints/{site.endpoint}")[1]
    assert "serverless, 1024 MB" in text
    assert "<dt>Invocations</dt><dd>1 calls" in text


def test_a_csv_is_a_table_and_bytes_are_shown_as_numbers(site: Site) -> None:
    table = site.get(f"s3/{site.lab.bucket}?key=churn/train/train.csv")[1]
    assert table.count("<tr>") == 25
    assert "000010  10 11 12" in site.get(f"s3/{site.lab.bucket}?key=binary.bin")[1]


def test_folders_of_a_bucket_are_entries(site: Site) -> None:
    text = site.get(f"s3/{site.lab.bucket}")[1]
    assert 'href="?prefix=churn/"' in text
    assert "train.csv" not in text


def test_the_journal_finds_the_calls_about_a_job(site: Site) -> None:
    text = site.get(f"calls?resource={site.trained}&operation=CreateTrainingJob")[1]
    assert text.count("<b>CreateTrainingJob</b>") == 1


def test_the_bill_is_the_sum_of_its_lines_and_connect_shows_it(site: Site) -> None:
    page = json.loads(launch.get(site.lab.url, "/_corelab/bill") or b"")
    known = [line for line in page["lines"] if line["name"] == site.trained]
    assert [line["what"] for line in known] == ["1 \u00d7 ml.m5.large"]
    assert known[0]["usd"] > 0
    assert abs(page["total_usd"] - sum(line["usd"] for line in page["lines"])) < 1e-4
    connection = corelab.connect(home=site.lab.home.path, quietly=True)
    corelab.disconnect()
    assert connection.console == site.address
    assert connection.bill is not None
    assert connection.bill >= known[0]["usd"]
