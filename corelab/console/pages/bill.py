"""The bill: what all of this would have cost on AWS, and what still runs."""

from __future__ import annotations

from corelab.console.ask import Ask, Page, Sources

_SIZE = 200
PLACES = {"training-job": "training", "transform-job": "transform", "endpoint": "endpoints"}


def index(sources: Sources, _ask: Ask) -> Page:
    bill = sources.accounts.bill()
    facts = {"bill": bill, "lines": bill.lines[:_SIZE], "places": PLACES}
    return Page("bill.html", "Bill", "bill", facts, seconds=3 if bill.running else 5)
