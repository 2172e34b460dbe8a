"""The model file: arrays, and one JSON document that says what they are.

It is a safetensors file, which every reader of that format opens, whose metadata holds

    format           "dotori"
    format_version   "1"; a program refuses a file newer than it knows
    dotori_version   the version that wrote it
    kind             "tabular model", "checkpoint", "weights", ...
    document         strict JSON (no NaN, no key twice), whatever the kind needs

and the checksums of `dotori.io.checksum`. Reading one executes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from dotori._version import __version__
from dotori.errors import ArgumentError, FormatError
from dotori.io import safetensors
from dotori.io.atomic import FilePath

Array = npt.NDArray[Any]

FORMAT_VERSION = 1
MAX_DOCUMENT_CHARACTERS = 8 * 2**20
MAX_DEPTH = 100
MAX_INTEGER_BITS = 4096  # Python itself reads integers of up to 4,300 digits


def write_model(
    path: FilePath, arrays: Mapping[str, Array], document: Mapping[str, Any], kind: str
) -> None:
    """Write a model file, atomically; equal content in equal order, equal bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to create or replace; see `atomic_write` for what is promised.
    arrays : mapping of str to ndarray
        As for `dotori.io.safetensors.save_file`.
    document : mapping
        Of what JSON has: dicts with string keys, lists (tuples become lists), strings,
        integers of at most 4,096 bits, finite floats, bools and None. At most 8 Mi
        characters as JSON.
    kind : str
        What the file is for: ``"tabular model"``, ``"checkpoint"``, ``"weights"``.

    Raises
    ------
    ArgumentError
        If the document holds something else; the message names the place in it.
    DTypeError
        If safetensors cannot hold an array.
    OSError
        If the file cannot be written. The old one, if any, is intact.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.dotori"
    >>> write_model(path, {"w": np.ones(2)}, {"target": "price"}, "tabular model")
    >>> read_model(path, "tabular model")
    ({'w': array([1., 1.])}, {'target': 'price'})
    """
    safetensors.save_file(arrays, path, _metadata(document, kind))


def model_to_bytes(
    arrays: Mapping[str, Array], document: Mapping[str, Any], kind: str
) -> bytes:
    """What `write_model` would write, as bytes."""
    return safetensors.save(arrays, _metadata(document, kind))


def read_model(
    path: FilePath, kind: str | None = None
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read a model file: its arrays and its document.

    Parameters
    ----------
    path : str or PathLike
    kind : str, optional
        The kind of file that is wanted; any, if it is left out.

    Returns
    -------
    arrays : dict of str to ndarray
        New, writable arrays.
    document : dict

    Raises
    ------
    FormatError
        If the file is damaged, cut off, of another kind, from a newer dotori, or no
        model file at all: then the message says what it looks like and what to do.
    OSError
        If the file cannot be opened or read.
    """
    arrays, metadata = safetensors.load_with_metadata(path)
    try:
        return arrays, _document(metadata, kind)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def model_from_bytes(
    data: bytes, kind: str | None = None
) -> tuple[dict[str, Array], dict[str, Any]]:
    """What `read_model` would read from a file of these bytes.

    Examples
    --------
    >>> model_from_bytes(model_to_bytes({}, {"step": 3}, "checkpoint"))
    ({}, {'step': 3})
    """
    arrays, metadata = safetensors.loads_with_metadata(data)
    return arrays, _document(metadata, kind)


def _metadata(document: Mapping[str, Any], kind: str) -> dict[str, str]:
    if not isinstance(kind, str) or not kind:
        raise ArgumentError(f"the kind of a model file is a name, got {kind!r}")
    _check_json(document, "document", MAX_DEPTH)
    if not isinstance(document, Mapping):
        raise ArgumentError(f"document: a dict was wanted, got {document!r}")
    text = json.dumps(
        document,
        allow_nan=False,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        raise ArgumentError(
            f"document: {len(text):,} characters as JSON, at most "
            f"{MAX_DOCUMENT_CHARACTERS:,} can be stored; keep large numbers as arrays"
        )
    return {
        "format": "dotori",
        "format_version": str(FORMAT_VERSION),
        "dotori_version": __version__,
        "kind": kind,
        "document": text,
    }


def _check_json(value: object, place: str, depth: int) -> None:
    """Refuse what JSON would lose, change or not have, and say where it is."""
    if depth == 0:
        raise ArgumentError(f"{place}: nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ArgumentError(f"{place}: the key {key!r} is not a string")
            _check_json(item, f"{place}[{key!r}]", depth - 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_json(item, f"{place}[{index}]", depth - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ArgumentError(f"{place}: JSON has no {value}; store None or a string")
    elif isinstance(value, int):
        if value.bit_length() > MAX_INTEGER_BITS:
            raise ArgumentError(
                f"{place}: an integer of {value.bit_length()} bits, at most "
                f"{MAX_INTEGER_BITS} can be stored; store a string"
            )
    elif value is not None and not isinstance(value, str):
        raise ArgumentError(
            f"{place}: JSON has no {type(value).__name__}; store a number, string, "
            f"list or dict, and arrays among the arrays"
        )


def _document(metadata: Mapping[str, str], kind: str | None) -> dict[str, Any]:
    """The document out of a file's metadata, if it is a model file of this kind."""
    if metadata.get("format") != "dotori":
        raise FormatError(
            "this is a plain safetensors file, not a dotori model file; read its "
            "arrays with dotori.io.load_file"
        )
    version = metadata.get("format_version", "")
    if not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise FormatError(f"the file's format_version is {version[:20]!r}, no number")
    if int(version) > FORMAT_VERSION:
        raise FormatError(
            f"the file has format version {version}, written by dotori "
            f"{metadata.get('dotori_version', '?')[:20]}; this is dotori "
            f"{__version__}, which reads up to {FORMAT_VERSION}: upgrade dotori"
        )
    found = metadata.get("kind", "")
    if kind is not None and found != kind:
        raise FormatError(f"a file of kind {kind!r} was wanted, this is {found[:40]!r}")
    return _parse(metadata.get("document", ""))


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        raise FormatError(
            f"the document has {len(text):,} characters, more than the "
            f"{MAX_DOCUMENT_CHARACTERS:,} that a model file may have"
        )
    try:
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
        if r"\ud" in text.lower():  # half a surrogate pair: no text that could be shown
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the document is not sound JSON: {error}") from None
    if not isinstance(document, dict):
        raise FormatError("the document is not a JSON object")
    return document


def _refuse(constant: str) -> None:
    raise FormatError(f"the document holds {constant}, which is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise FormatError("the document has an object with a key twice")
    return members
