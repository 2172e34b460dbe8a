"""Values as arrays and JSON, and back: how what was fitted goes into a model file.

A file can name only what is listed here: numbers, strings, arrays, containers of them,
and classes that were marked with `storable`. Nothing in it is imported or called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dotori.errors import ArgumentError, DotoriError, FormatError

Array = NDArray[Any]
T = TypeVar("T", bound=type)

_classes: dict[str, type] = {}
_SAFE_KINDS = "biufc"


def storable(cls: T) -> T:
    """Let a dataclass be part of a model file, under its name.

    Its fields must be values that can be stored. What the fields of a file hold is for
    ``__post_init__`` to check: it raises one of dotori's errors for what is impossible.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @storable
    ... @dataclass(frozen=True)
    ... class Line:
    ...     slope: float
    >>> document = to_document(Line(2.0), {})
    >>> document
    {'stored': 'Line', 'fields': {'slope': 2.0}}
    >>> from_document(document, {})
    Line(slope=2.0)
    """
    if not is_dataclass(cls):
        raise TypeError(f"storable: a dataclass was wanted, got {cls!r}")
    if _classes.get(cls.__name__, cls).__qualname__ != cls.__qualname__:
        raise TypeError(f"storable: there is a class named {cls.__name__} already")
    _classes[cls.__name__] = cls
    return cls


class Other:
    """Kinds of values that this file does not know, such as estimators.

    `to_document(value, place, encode)` gives JSON with a key of its own, or None if it
    does not know the value either; `from_document(document, decode)` is called for a
    document with the key `key`.
    """

    key: str

    def to_document(
        self, value: Any, place: str, encode: Callable[[Any, str], Any]
    ) -> dict[str, Any] | None:
        """The value as JSON; `encode(part, place + ".name")` does its parts."""
        raise NotImplementedError

    def from_document(
        self, document: Mapping[str, Any], decode: Callable[[Any], Any]
    ) -> Any:
        """The value; `decode(part)` does its parts."""
        raise NotImplementedError


def to_document(
    value: Any, arrays: dict[str, Array], place: str = "value", other: Any = ()
) -> Any:
    """JSON for a value; its arrays are put into `arrays`, by their place.

    Parameters
    ----------
    value : object
    arrays : dict
        Filled with what the document refers to.
    place : str
        The name of the value, for the arrays' names and for messages.
    other : sequence of Other
        Further kinds of values.

    Raises
    ------
    ArgumentError
        If a part of the value cannot be stored; the message names its place.
    """

    def encode(part: Any, name: str) -> Any:
        return to_document(part, arrays, name, other)

    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.generic):
        return {"number": encode(np.asarray(value), place)}
    if isinstance(value, np.ndarray):
        return _encode_array(value, arrays, place, encode)
    if isinstance(value, (list, tuple, Mapping)):
        return _encode_container(value, place, encode)
    if isinstance(value, np.dtype):
        return {"dtype": value.str}
    if isinstance(value, type) and issubclass(value, (np.generic, float, int, bool)):
        return {"type": np.dtype(value).str}
    name = type(value).__name__
    if _classes.get(name) is type(value):
        held = {f.name: getattr(value, f.name) for f in fields(_classes[name])}
        parts = {k: encode(part, f"{place}.{k}") for k, part in held.items()}
        return {"stored": name, "fields": parts}
    for kind in other:
        found = kind.to_document(value, place, encode)
        if found is not None:
            return found
    raise ArgumentError(
        f"{place} is {value!r} of type {name}, which a model file cannot hold; it "
        "holds numbers, strings, arrays, containers of them, dotori's own estimators"
    )


def _encode_container(value: Any, place: str, encode: Callable[[Any, str], Any]) -> Any:
    if isinstance(value, Mapping):
        pairs = [
            [encode(key, f"{place}.key{i}"), encode(part, f"{place}.{i}")]
            for i, (key, part) in enumerate(value.items())
        ]
        return {"dict": pairs}
    parts = [encode(part, f"{place}.{i}") for i, part in enumerate(value)]
    return {"tuple" if isinstance(value, tuple) else "list": parts}


def _encode_array(
    value: Array,
    arrays: dict[str, Array],
    place: str,
    encode: Callable[[Any, str], Any],
) -> Any:
    if value.dtype.kind in _SAFE_KINDS:
        arrays[place] = np.ascontiguousarray(value).reshape(value.shape)
        return {"array": place}
    if value.dtype.kind in "UO":
        parts = [
            encode(part, f"{place}.{i}")
            for i, part in enumerate(value.ravel().tolist())
        ]
        return {
            "objects": parts,
            "shape": list(value.shape),
            "text": value.dtype.kind == "U",
        }
    raise ArgumentError(
        f"{place} is an array of {value.dtype}, which a model file cannot hold"
    )


def from_document(document: Any, arrays: Mapping[str, Array], other: Any = ()) -> Any:
    """The value that `to_document` was given.

    Raises
    ------
    FormatError
        If the document is none of its.
    """
    kinds = {kind.key: kind for kind in other}

    def decode(part: Any) -> Any:
        if part is None or isinstance(part, (bool, int, float, str)):
            return part
        for key in part:
            if key in _DECODERS:
                return _DECODERS[key](part, arrays, decode)
            if key in kinds:
                return kinds[key].from_document(part, decode)
        raise FormatError(f"a model file cannot hold a value with {sorted(part)}")

    try:
        return decode(document)
    except FormatError:
        raise
    except (DotoriError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            f"parts of a model file do not fit together: {error!r}"
        ) from error


Decode = Callable[[Any], Any]
Part = Mapping[str, Any]
Arrays = Mapping[str, Array]


def _array(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return arrays[part["array"]]


def _number(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return decode(part["number"])[()]


def _float(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[part["float"]]


def _objects(part: Part, arrays: Arrays, decode: Decode) -> Any:
    values = [decode(value) for value in part["objects"]]
    flat = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # one by one: values may be sequences
        flat[i] = value
    shape = tuple(int(n) for n in part["shape"])
    return (flat.astype(str) if part["text"] else flat).reshape(shape)


def _list(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return [decode(value) for value in part["list"]]


def _tuple(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return tuple(decode(value) for value in part["tuple"])


def _dict(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return {decode(key): decode(value) for key, value in part["dict"]}


def _dtype(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return _plain_dtype(part["dtype"])


def _type(part: Part, arrays: Arrays, decode: Decode) -> Any:
    return _plain_dtype(part["type"]).type


def _plain_dtype(text: Any) -> np.dtype[Any]:
    found = np.dtype(str(text))
    if found.kind not in _SAFE_KINDS + "UO" or found.names is not None:
        raise FormatError(f"a model file cannot hold the type {text!r}")
    return found


def _stored(part: Part, arrays: Arrays, decode: Decode) -> Any:
    name = part["stored"]
    if name not in _classes:
        raise FormatError(
            f"the file holds a {name!r}, which this version of dotori does not know"
        )
    return _classes[name](**{k: decode(v) for k, v in part["fields"].items()})


_DECODERS: dict[str, Callable[[Part, Arrays, Decode], Any]] = {
    "array": _array,
    "number": _number,
    "float": _float,
    "objects": _objects,
    "list": _list,
    "tuple": _tuple,
    "dict": _dict,
    "dtype": _dtype,
    "type": _type,
    "stored": _stored,
}
