"""Metric math, the part of it that combines series point by point: + - * / ** with numbers and query ids.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from corelab.errors import AWSError

Series = dict[float, float]  # value by the begin of its period
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def evaluate(text: str, series: Mapping[str, Series]) -> Series:
    """The series an expression gives; a period counts only where every series in it has a value.

    Raises:
        AWSError: for an expression that is not understood, or names an unknown query.
    """
    try:
        tree = ast.parse(text.replace("^", "**"), mode="eval").body
    except SyntaxError:
        raise _refused(text) from None
    value = _value(tree, series, text)
    if isinstance(value, float):
        raise AWSError("ValidationError", f"The expression '{text}' does not return a time series.")
    return value


def _value(node: ast.expr, series: Mapping[str, Series], text: str) -> float | Series:
    match node:
        case ast.Constant(value=int() | float()):
            return float(node.value)  # type: ignore[arg-type]
        case ast.Name(id=name) if name in series:
            return series[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combine(operator.sub, 0.0, _value(operand, series, text))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _combine(_OPERATORS[type(op)], _value(left, series, text), _value(right, series, text))
    raise _refused(text)


def _combine(
    compute: Callable[[float, float], float], left: float | Series, right: float | Series
) -> float | Series:
    if isinstance(left, float) and isinstance(right, float):
        return compute(left, right)
    times = set(left if isinstance(left, dict) else right if isinstance(right, dict) else ())
    if isinstance(left, dict) and isinstance(right, dict):
        times &= set(right)
    combined: Series = {}
    for time in sorted(times):
        one = left[time] if isinstance(left, dict) else left
        other = right[time] if isinstance(right, dict) else right
        try:
            combined[time] = compute(one, other)
        except (ZeroDivisionError, OverflowError):
            continue  # CloudWatch drops such a point
    return combined


def _refused(text: str) -> AWSError:
    return AWSError(
        "ValidationError",
        f"Error in expression '{text}': this local CloudWatch understands + - * / ^ over metric ids and numbers.",
    )
