from __future__ import annotations

import sys
import warnings

import pytest
from IPython.core.interactiveshell import InteractiveShell

from corelab import checks
from corelab.checks import CheckFailed
from corelab.checks.choices import seal
from corelab.checks.outcome import check


@check
def noisy(value):
    """The value is five."""
    sys.stdout.write("chatter")
    sys.stderr.write("trouble")
    warnings.warn("old", DeprecationWarning, stacklevel=2)
    if value != 5:
        raise CheckFailed("5", value, "count again")
    return "found it"


def test_a_right_answer_prints_its_claim_and_nothing_else(capsys):
    noisy(5)
    assert capsys.readouterr() == ("✓ The value is five (found it)\n", "")


def test_a_wrong_answer_says_expected_got_and_hint(capsys):
    with pytest.raises(CheckFailed) as failed:
        noisy("six")
    assert str(failed.value).splitlines() == [
        "✗ The value is five",
        "    expected: 5",
        "    got:      six",
        "    hint:     count again",
    ]
    assert capsys.readouterr() == ("", "")


def test_a_long_value_is_shortened():
    with pytest.raises(CheckFailed) as failed:
        noisy(list(range(10_000)))
    assert len(str(failed.value)) < 400


def test_a_notebook_shows_the_message_and_not_the_checks_own_code(capsys):
    shell = InteractiveShell.instance()
    shell.user_ns["noisy"] = noisy
    shell.run_cell("noisy(6)")
    shown = capsys.readouterr().out
    assert "hint:     count again" in shown
    assert "raise CheckFailed" not in shown


@pytest.mark.parametrize("value", ["B", "b", ["b"], {"B"}, " b. "])
def test_a_choice_may_be_spelt_in_several_ways(value):
    checks.choice("q", value, among="ABC", seal=seal("q", "B"))
    checks.chosen("q", value, "B")


@pytest.mark.parametrize("value", ["", "D", None, 7, "AD", "x" * 1000, object()])
def test_what_is_no_choice_is_refused_with_an_example(value):
    with pytest.raises(CheckFailed, match='write q = "A"'):
        checks.choice("q", value, among="ABC", seal=seal("q", "A"))


def test_a_wrong_choice_hears_so_at_once_with_the_authors_hint_and_not_the_right_one():
    with pytest.raises(CheckFailed, match="look at the log") as failed:
        checks.choice("q", "A", among="ABC", seal=seal("q", "C"), hint="look at the log")
    assert "C" not in str(failed.value).replace("Check", "")
    with pytest.raises(CheckFailed) as failed:
        checks.chosen("q", "A", "C")
    assert "C" not in str(failed.value).replace("Check", "")


def test_several_right_options_count_in_any_order():
    for answer in ("c, a", ["A", "C"], "CA"):
        checks.choice("q", answer, among="ABC", seal=seal("q", "AC"))
        checks.chosen("q", answer, "AC")
    for answer in ("A", "ABC"):
        with pytest.raises(CheckFailed):
            checks.choice("q", answer, among="ABC", seal=seal("q", "AC"))
        with pytest.raises(CheckFailed):
            checks.chosen("q", answer, "AC")


def test_a_seal_shows_no_letter_and_looks_different_in_every_question():
    seals = {seal(name, key) for name in ("one", "two") for key in ("A", "B", "AB")}
    assert len(seals) == 6
    assert all(set(text) <= set("0123456789abcdef") for text in seals)
