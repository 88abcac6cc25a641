from __future__ import annotations

import functools
import http.server
import threading

import pandas as pd
import pytest

from corelab import churn
from corelab.churn import table
from corelab.errors import BadArgument

TELCO = """customerID,gender,SeniorCitizen,Partner,tenure,PhoneService,Contract,PaymentMethod,MonthlyCharges,TotalCharges,Churn
7590-VHVEG,Female,0,Yes,1,No,Month-to-month,Electronic check,29.85,29.85,No
5575-GNVDE,Male,0,No,34,Yes,One year,Mailed check,56.95,1889.5,No
4472-LVYGI,Female,0,Yes,0,No,Two year,Bank transfer (automatic),52.55, ,No
3668-QPYBK,Male,1,No,2,Yes,Month-to-month,Mailed check,53.85,108.15,Yes
"""


@pytest.fixture
def telco(tmp_path):
    path = tmp_path / "WA_Fn-UseC_-Telco-Customer-Churn.csv"
    path.write_text(TELCO, encoding="utf-8")
    return path


def test_loading_gives_what_was_generated():
    pd.testing.assert_frame_equal(churn.load(), churn.generate())


def test_writing_and_loading_again_changes_nothing(tmp_path):
    path = churn.write(tmp_path / "data")
    assert path == tmp_path / "data" / "customers.csv"
    pd.testing.assert_frame_equal(churn.load(path), churn.load())


def test_customers_of_ones_own_can_be_written(tmp_path):
    mine = churn.generate(5, 200)
    pd.testing.assert_frame_equal(churn.load(churn.write(tmp_path, mine)), mine)


def test_a_file_name_cannot_leave_its_folder(tmp_path):
    path = churn.write(tmp_path / "data", churn.generate(5, 10), name="../../escaped.csv")
    assert path.parent == tmp_path / "data"


def test_the_public_telco_sample_loads_through_the_same_function(telco):
    customers = churn.load(telco)
    assert list(customers.columns[:3]) == ["customer_id", "gender", "senior_citizen"]
    assert {"tenure_months", "contract", "payment", "monthly_charge", "total_charge"} <= set(
        customers.columns
    )
    assert customers["churn"].tolist() == [0, 0, 0, 1]
    assert customers["total_charge"].isna().tolist() == [False, False, True, False]
    assert customers["payment"].tolist()[0] == "Electronic check"
    assert churn.split_index(customers["customer_id"]).isin(["train", "validation", "test"]).all()


def test_an_address_loads_as_a_path_does(telco):
    handler = functools.partial(QuietHandler, directory=str(telco.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            pd.testing.assert_frame_equal(churn.load(f"{address}/{telco.name}"), churn.load(telco))
            with pytest.raises(BadArgument, match="cannot be read as CSV"):
                churn.load(f"{address}/nothing.csv")
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "cannot be read as CSV"),
        ("customer_id,churn\nA,perhaps\n", "Yes or No"),
        ("customer_id,churn\nA,\n", "Yes or No"),
        ("customer_id,age\nA,3\n", "one column 'churn'"),
        ("churn,age\n1,3\n", "one column 'customer_id'"),
        ("customerID,customer_id,churn\nA,A,1\n", "one column 'customer_id'"),
    ],
)
def test_a_table_that_is_not_about_churn_is_refused_in_words(tmp_path, text, complaint):
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadArgument, match=complaint):
        churn.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadArgument, match="no such file"):
        churn.load(tmp_path / "nothing.csv")


def test_ids_that_look_like_numbers_keep_their_zeros(tmp_path):
    path = tmp_path / "zeros.csv"
    path.write_text("customer_id,plan,churn\n007,basic,1\n", encoding="utf-8")
    assert churn.load(path)["customer_id"].tolist() == ["007"]


def test_the_bytes_of_a_table_are_the_same_on_every_system():
    assert b"\r" not in table.as_csv(churn.generate(1, 20))
