"""Reads old checkpoints that hold more than tensors, without executing any of it."""

import pickle
from collections import OrderedDict
from typing import IO, Any

import torch
from torch import _utils

ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): _utils._rebuild_parameter,
} | {("torch", name): getattr(torch, name) for name in ("FloatStorage", "HalfStorage", "LongStorage", "IntStorage")}
"""Everything that may be called while reading: what rebuilds tensors, and no more."""


class Inert:
    """Stands for any object that is not read: takes every argument and state, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        """Whatever it is called with."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __call__(self, *_: Any, **__: Any) -> "Inert":
        """Calling it gives it again."""
        return self

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, *_: Any) -> None: ...

    def append(self, _: Any) -> None:
        """As lists do."""

    def extend(self, _: Any) -> None:
        """As lists do."""


class Unpickler(pickle.Unpickler):
    """Rebuilds tensors; every other class and function becomes `Inert`."""

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that a pickle asks for, if it is allowed."""
        return ALLOWED.get((module, name), Inert)


def load(file: IO[bytes], **options: Any) -> Any:
    """As `pickle.load`; torch calls it for the headers of its old file format."""
    return Unpickler(file, **options).load()
