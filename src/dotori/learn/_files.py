"""Estimators as model files: parameters and fitted attributes, without pickle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dotori.algorithms import _stored
from dotori.errors import ArgumentError, FormatError
from dotori.io import read_model, write_model
from dotori.learn._base import Estimator

KIND = "estimator"


def save(estimator: Estimator, path: Any) -> None:
    """Write an estimator to a file, atomically: see `Estimator.save`."""
    arrays: dict[str, Any] = {}
    document = _stored.to_document(estimator, arrays, "estimator", _OTHERS)
    write_model(path, arrays, document, kind=KIND)


def load(path: Any) -> Any:
    """The estimator in a file that `Estimator.save` wrote.

    Only dotori's own estimators can be in it, and nothing in it is executed.

    Raises
    ------
    FormatError
        If the file is damaged, of another kind, or holds what this version of dotori
        does not know.
    OSError
        If the file cannot be read.
    """
    arrays, document = read_model(path, kind=KIND)
    found = _stored.from_document(document, arrays, _OTHERS)
    if not isinstance(found, Estimator):
        raise FormatError(f"{path} holds no estimator, but {type(found).__name__}")
    return found


class _Estimators(_stored.Other):
    key = "estimator"

    def to_document(
        self, value: Any, place: str, encode: Callable[[Any, str], Any]
    ) -> dict[str, Any] | None:
        from dotori.learn import ESTIMATORS

        name = type(value).__name__
        if not isinstance(value, Estimator):
            return None
        if name not in ESTIMATORS:
            raise ArgumentError(
                f"{name} is no estimator of dotori's, and a model file could not make "
                "it again; save the estimator that it was derived from"
            )
        params = value.get_params(deep=False)
        left_out = {*params, *value._unstored}
        state = {
            k: v
            for k, v in vars(value).items()
            if k not in left_out
            and not k.startswith(("_skl_", "_callback", "_sklearn"))
        }
        return {
            "estimator": name,
            "params": {k: encode(v, f"{place}.{k}") for k, v in params.items()},
            "state": {k: encode(v, f"{place}.{k}") for k, v in state.items()},
        }

    def from_document(
        self, document: Mapping[str, Any], decode: Callable[[Any], Any]
    ) -> Any:
        import dotori.learn

        name = document["estimator"]
        if name not in dotori.learn.ESTIMATORS:
            raise FormatError(f"dotori has no estimator {name!r}")
        kind: Any = getattr(dotori.learn, name)
        params = {k: decode(v) for k, v in document["params"].items()}
        made = kind(**params)
        for attribute, value in document["state"].items():
            if callable(getattr(kind, attribute, None)):
                raise FormatError(f"{name}.{attribute} is no attribute of a fit")
            vars(made)[attribute] = decode(value)
        made._restore()
        return made


class _Sparse(_stored.Other):
    key = "csr"

    def to_document(
        self, value: Any, place: str, encode: Callable[[Any, str], Any]
    ) -> dict[str, Any] | None:
        from scipy import sparse

        if not sparse.issparse(value):
            return None
        rows = sparse.csr_array(value)
        parts = [rows.data, rows.indices, rows.indptr]
        return {
            "csr": [encode(part, f"{place}.{i}") for i, part in enumerate(parts)],
            "shape": list(rows.shape),
        }

    def from_document(
        self, document: Mapping[str, Any], decode: Callable[[Any], Any]
    ) -> Any:
        from scipy import sparse

        parts = tuple(np.asarray(decode(part)) for part in document["csr"])
        shape = tuple(int(n) for n in document["shape"])
        found = sparse.csr_matrix(parts, shape=shape)
        found.check_format(full_check=True)
        return found


_OTHERS = (_Estimators(), _Sparse())
