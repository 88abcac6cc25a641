"""Which names a cell binds and which it reads, without running it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

_BUILTINS: Final = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the module level.

    Attributes:
        binds: what the cell assigns, imports or defines.
        reads: what it, or a function in it, reads and has not surely bound before.
        magic: whether the cell uses IPython's own syntax.
    """

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
    cell = _Cell()
    cell.follow(tree.body, set())
    reads = frozenset(cell.reads) - _BUILTINS
    return Names(frozenset(_bound(tree.body)), reads, "get_ipython" in reads)


@dataclass(slots=True)
class _Cell:
    """Follows statements in their order; ``bound`` holds the names that have a value by then, whatever happened."""

    reads: set[str] = field(default_factory=set)

    def follow(self, statements: Sequence[ast.stmt], bound: set[str]) -> None:
        for statement in statements:
            match statement:
                case ast.For() | ast.AsyncFor():
                    self._read([statement.iter, statement.target], bound)
                    self.follow(statement.body, bound | _bound([statement.target]))
                    self.follow(statement.orelse, set(bound))
                case ast.With() | ast.AsyncWith():
                    for item in statement.items:
                        self._read([item], bound)
                        bound |= _bound([item])
                    self.follow(statement.body, bound)
                case ast.If() | ast.While():
                    self._read([statement.test], bound)
                    self.follow(statement.body, set(bound))
                    self.follow(statement.orelse, set(bound))
                case ast.Try() | ast.TryStar():
                    self._follow_try(statement, bound)
                case _:
                    self._read([statement], bound)
                    bound |= _bound([statement])

    def _follow_try(self, statement: ast.Try | ast.TryStar, bound: set[str]) -> None:
        self.follow(statement.body + statement.orelse, set(bound))
        for handler in statement.handlers:
            self._read([handler.type] if handler.type else [], bound)
            self.follow(handler.body, bound | ({handler.name} if handler.name else set()))
        self.follow(statement.finalbody, bound)

    def _read(self, parts: Iterable[ast.AST], bound: set[str]) -> None:
        reader = _Reader()
        for part in parts:
            reader.visit(part)
        self.reads |= reader.found - bound


class _Reader(ast.NodeVisitor):
    """Collects what is read of the module's names: a function's or comprehension's own are none of them."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._own: list[set[str]] = []

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and not any(node.id in own for own in self._own):
            self.found.add(node.id)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.visit_Name(ast.Name(node.target.id, ast.Load()))
        self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        body = node.body if isinstance(node.body, list) else [node.body]
        outside = [*getattr(node, "decorator_list", []), node.args, getattr(node, "returns", None)]
        self._visit([part for part in outside if part is not None])
        parameters = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        shared = {name for part in body for inner in ast.walk(part) if isinstance(inner, ast.Global)
                  for name in inner.names}  # fmt: skip
        self._visit(body, parameters | _bound(body) - shared)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit([*node.decorator_list, *node.bases, *node.keywords])
        self._visit(node.body, _bound(node.body))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self._visit([node.generators[0].iter])
        own = _bound([part.target for part in node.generators])
        self._visit(ast.iter_child_nodes(node), own)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function  # noqa: N815
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def _visit(self, parts: Iterable[ast.AST], own: set[str] | None = None) -> None:
        self._own.append(own or set())
        for part in parts:
            self.visit(part)
        self._own.pop()


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


def _bound(parts: Iterable[ast.AST]) -> set[str]:
    binder = _Binder()
    for part in parts:
        binder.visit(part)
    return binder.found
