"""PyTorch's functions that give, for each view, the same in memory of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dotori.autograd import as_variable
from dotori.functions import diagonal, gathering, join, shape, splitting, views
from dotori.functions.shape import clone

__all__ = [
    "alias_copy",
    "as_strided_copy",
    "detach_copy",
    "diagonal_copy",
    "expand_copy",
    "permute_copy",
    "select_copy",
    "slice_copy",
    "split_copy",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsqueeze_copy",
    "view_copy",
]


def _copying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, whose result, or each of whose results, is then copied."""

    def copying(x: Any, *args: Any, **kwargs: Any) -> Any:
        found = function(as_variable(x), *args, **kwargs)
        return tuple(map(clone, found)) if isinstance(found, tuple) else clone(found)

    copying.__name__ = copying.__qualname__ = name
    copying.__doc__ = f"`{name.removesuffix('_copy')}`, in memory of its own."
    return copying


def _slice(
    x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    """The parts of one axis from `start` up to `end`, each `step`-th."""
    axis = shape.axis_of("slice", dim, x.ndim, x.shape)
    return shape.getitem(x, (*(slice(None),) * axis, slice(start, end, step)))


alias_copy = _copying("alias_copy", lambda x: x)
as_strided_copy = _copying("as_strided_copy", views.as_strided)
detach_copy = _copying("detach_copy", lambda x: x.detach())
diagonal_copy = _copying("diagonal_copy", diagonal.diagonal)
expand_copy = _copying("expand_copy", shape.expand)
permute_copy = _copying("permute_copy", shape.permute)
select_copy = _copying("select_copy", gathering.select)
slice_copy = _copying("slice_copy", _slice)
split_copy = _copying("split_copy", join.split)
split_with_sizes_copy = _copying("split_with_sizes_copy", splitting.split_with_sizes)
squeeze_copy = _copying("squeeze_copy", shape.squeeze)
t_copy = _copying("t_copy", views.t)
transpose_copy = _copying("transpose_copy", shape.transpose)
unbind_copy = _copying("unbind_copy", join.unbind)
unfold_copy = _copying("unfold_copy", views.unfold)
unsqueeze_copy = _copying("unsqueeze_copy", shape.unsqueeze)
view_copy = _copying("view_copy", views.view)
