"""A fingerprint of the code that a job runs, which comments, docstrings, formatting and mtimes leave alone."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
NO_EFFECT_ON_FRAMES = {"restoration.pipeline.job", "restoration.pipeline.flight", "restoration.version"}
"""Modules that scripts import and that decide nothing about the bytes of a result."""


def canonical(value: Any) -> str:
    """JSON in which equal values are equal text: sorted keys, no spaces, plain types only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def short_hash(text: str) -> str:
    """Ten hexadecimal digits of the SHA-256 of *text*, for names."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def code_digest(root: Path) -> str:
    """Digest of the Python file *root* and of every module of this package that it imports, directly or not."""
    seen: set[Path] = set()
    waiting = [root]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _parsed(path)[1]
    return short_hash(canonical(sorted(_parsed(path)[0] for path in seen)))


@cache
def _parsed(path: Path) -> tuple[str, list[Path]]:
    """Digest of one file's syntax tree and the files of this package that it imports."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    imported = [
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    ]
    return short_hash(canonical(_plain(tree))), [file for name in imported for file in _files(name)]


def _files(name: str) -> list[Path]:
    """The files of this package that importing *name* (a module, or a member of one) executes."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return []
    modules = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    if NO_EFFECT_ON_FRAMES.intersection(modules):
        return []
    paths = [PACKAGE.joinpath(*module.split(".")[1:]) for module in modules]
    candidates = [file for path in paths for file in (path / "__init__.py", path.with_suffix(".py"))]
    return [file for file in candidates if file.is_file()]


def _plain(node: Any) -> Any:
    """A syntax tree as nested lists, without docstrings, positions and empty fields (which vary among Pythons)."""
    if isinstance(node, ast.AST):
        fields = {name: _plain(value) for name, value in ast.iter_fields(node) if value is not None and value != []}
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_plain(item) for item in node if not _is_docstring(item)]
    return node if isinstance(node, str | int | float | bool) else repr(node)


def _is_docstring(node: Any) -> bool:
    """Whether *node* is a string standing alone as a statement: it explains and does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
