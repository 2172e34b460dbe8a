"""Recognising in a program that gradients were clipped to a length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dotori.compiler.ir import Instr, Value


@dataclass
class Clipping:
    """What `clip_grad_norm_` did to all gradients.

    Attributes
    ----------
    limit : float
    where : str
        The user's line.
    """

    limit: float
    where: str


def before_clipping(
    gradients: Sequence[Value], made_by: Mapping[Value, Instr]
) -> tuple[list[Value], Clipping | None]:
    """The gradients as they were before, and how they were clipped, if they were."""
    plain = [_uncopied(g, made_by) for g in gradients]
    pairs = [_factor(g, made_by) for g in plain]
    factors = {factor for _, factor, _ in pairs}
    if len(factors) == 1:
        limit = _limit(factors.pop(), made_by)
        if limit is not None:
            found = [_uncopied(g, made_by) for g, _, _ in pairs]
            return found, Clipping(limit, pairs[0][2])
    return plain, None


def _uncopied(x: Value, made_by: Mapping[Value, Instr]) -> Value:
    """What `x` is a copy, or another type, of."""
    while x in made_by and made_by[x].op in ("copy", "cast"):
        x = next(made_by[x].values())
    return x


def _factor(
    g: Value, made_by: Mapping[Value, Instr]
) -> tuple[Value, Value | None, str]:
    """A gradient as another one times a number: both, and the line; or no number."""
    instr = made_by.get(g)
    if instr is None or instr.op != "multiply":
        return g, None, ""
    values = list(instr.values())
    if len(values) != 2 or values[1].ndim or values[0].shape != g.shape:
        return g, None, ""
    return values[0], _uncopied(values[1], made_by), instr.where


def _limit(factor: Value | None, made_by: Mapping[Value, Instr]) -> float | None:
    """c where the factor is ``min(c / (sqrt(...) + 1e-6), 1)``."""
    found: Value | None = factor
    for op, other in (
        ("minimum", 1.0),
        ("divide", None),
        ("add", 1e-6),
        ("sqrt", None),
    ):
        instr = made_by.get(found) if found is not None else None
        if instr is None or instr.op != op:
            return None
        numbers = [x for x in instr.inputs if not isinstance(x, Value)]
        if other is not None and numbers != [other]:
            return None
        if op == "divide":
            if len(numbers) != 1 or instr.inputs[0] is not numbers[0]:
                return None
            limit = float(numbers[0])
        found = next(instr.values(), None)
    return limit
