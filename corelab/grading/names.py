"""Which names a cell binds and which it reads, without running it."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import Final

_BUILTINS: Final = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the module level; ``magic`` is true when the cell uses IPython's own syntax."""

    binds: frozenset[str]
    reads: frozenset[str]
    magic: bool


def names_of(source: str) -> Names:
    """Names of a code cell; a cell that is no Python binds and reads nothing."""
    from IPython.core.inputtransformer2 import TransformerManager

    plain = TransformerManager().transform_cell(source)
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError):
        return Names(frozenset(), frozenset(), True)
    binder = _Binder()
    binder.visit(tree)
    reads = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return Names(frozenset(binder.found), frozenset(reads - _BUILTINS), "get_ipython" in reads)


class _Binder(ast.NodeVisitor):
    """Collects what assignments, imports, loops and definitions bind outside functions and classes."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del):
            self.found.add(node.id)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update((alias.asname or alias.name.partition(".")[0]) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.found.update(alias.asname or alias.name for alias in node.names)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.found.add(node.name)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _define  # noqa: N815

    def _skip(self, node: ast.AST) -> None:
        """Comprehensions and lambdas have scopes of their own."""

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _skip  # noqa: N815
