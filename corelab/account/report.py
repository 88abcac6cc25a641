"""A bill in words for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from corelab.account.bill import Charge
from corelab.core.prices import load_prices

_MOST_LINES = 40


def bill_text(charges: Sequence[Charge], target: str) -> str:
    """A line a charge (what runs first, then the dearest), the total, and where the prices are from."""
    dearest = sorted(charges, key=lambda charge: (not charge.runs, -(charge.usd or 0.0)))
    shown = [_line(charge) for charge in dearest[:_MOST_LINES]]
    if len(charges) > _MOST_LINES:
        shown.append(f"... and {len(charges) - _MOST_LINES} more: corelab bill --json")
    running = [charge for charge in charges if charge.runs]
    prices, total = load_prices(), sum(charge.usd or 0.0 for charge in charges)
    words = "estimated" if target == "aws" else "had it run on AWS"
    return "\n".join(
        [
            *shown,
            f"total  ${total:.4f}, {words}",
            *([f"still running: {len(running)}; `corelab cleanup` shows what can go"] if running else []),
            f"prices of {prices.as_of} for {prices.region}: {prices.source}",
            *(
                ["Deleted endpoints are not in it: see Cost Explorer, tag course=corelab."]
                if target == "aws"
                else []
            ),
        ]
    )


def bill_json(charges: Sequence[Charge]) -> str:
    total = sum(charge.usd or 0.0 for charge in charges)
    return json.dumps(
        {"total_usd": round(total, 6), "lines": [asdict(charge) for charge in charges]}, indent=1
    )


def _line(charge: Charge) -> str:
    price = "no price" if charge.usd is None else f"${charge.usd:.5f}"
    runs = "  runs" if charge.runs else ""
    return f"{price:>10}  {charge.kind:13} {charge.name:40} {charge.what}, {charge.seconds:.1f} s{runs}"
