"""Dropout: a mask of zeros and a scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample


class Dropout(Op):
    """y = x mask, where `mask` holds 0 and 1/(1-p) (Srivastava and others, 2014).

    The mask is drawn once, before, and is an attribute: what forward dropped is what
    backward drops. It broadcasts against x, never the other way round.
    """

    @staticmethod
    def forward(xp: Any, x: Any, *, mask: Any) -> Any:
        return x * mask

    @staticmethod
    def backward(xp: Any, dy: Any, *, mask: Any) -> Any:
        return dy * mask

    @staticmethod
    def torch(x: Any, mask: Any) -> Any:
        return x * x.new_tensor(mask)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4))
        yield Sample((x,), {"mask": (rng.random((3, 4)) < 0.5) * 2.0})
        yield Sample((x,), {"mask": (rng.random((3, 1)) < 0.5) * 2.0})
