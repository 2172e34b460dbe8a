"""Loading a state dict: every misfit is found, and listed, before anything changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import note_change
from dotori.errors import ShapeError
from dotori.functions.creation import to_array
from dotori.nn.parameter import Uninitialized, is_lazy

if TYPE_CHECKING:
    from dotori.nn.module import Module


class LoadResult(NamedTuple):
    """The keys that `load_state_dict(strict=False)` had no use or no value for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_into(
    module: Module, state: Mapping[str, Any], strict: bool, assign: bool
) -> LoadResult:
    """Copy the values of `state` into the memory of the module's own tensors.

    Parameters
    ----------
    module : Module
    state : mapping of str to tensor or array
        Also tensors of PyTorch.
    strict : bool
        Whether each key must be there and none left over.
    assign : bool
        Take over the arrays themselves, and their types, instead of copying.

    Raises
    ------
    ShapeError
        Lists all missing, unexpected, mis-shaped and mistyped keys; the module is as
        before.
    """
    own = module.state_dict()
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    names = _present_names(module, state)
    waiting = {k for k, value in state.items() if is_lazy(value)}
    given = {names[k]: _array(state[k]) for k in state if k not in waiting}
    own = {k: t for k, t in own.items() if not (k in waiting and is_lazy(t))}
    missing = [name for name in own if name not in given]
    unexpected = [name for name in given if name not in own]
    problems = [
        f"{name} has shape {given[name].shape}, wanted {own[name].shape}"
        for name in own
        if name in given
        and not is_lazy(own[name])
        and given[name].shape != own[name].shape
    ]
    problems += [
        f"{name} holds {given[name].dtype}, which cannot become {own[name].dtype}"
        for name in own
        if name in given
        and not (assign or np.can_cast(given[name].dtype, own[name].dtype, "same_kind"))
    ]
    if strict:
        problems += [f"{name} is missing" for name in missing if not _optional(name)]
        problems += [f"{name} is unexpected" for name in unexpected]
    if problems:
        lines = "\n  ".join(problems)
        raise ShapeError(
            f"the state does not fit {type(module).__name__}, nothing was loaded:\n"
            f"  {lines}"
        )
    for name, target in own.items():
        if name in given and isinstance(target, Uninitialized):
            target.materialize(given[name].shape)
        if name in given and assign and name in tensors:
            tensors[name].data = given[name]
        elif name in given:
            np.copyto(target.array, given[name], casting="same_kind")
            note_change(target.array, "load_state_dict")
    return LoadResult(missing, unexpected)


def _present_names(module: Module, state: Iterable[str]) -> dict[str, str]:
    """Each key of a state by the name that it has today: see `former_keys`."""
    names = {name: name for name in state}
    for path, part in module.named_modules():
        former = getattr(part, "former_keys", None)
        if former is not None:
            found = former(path)
            if all(old in names for old in found):
                names |= found
    return names


def _optional(name: str) -> bool:
    """Batch norm counts its batches since PyTorch 0.4.1; states from before do not."""
    return name.rpartition(".")[2] == "num_batches_tracked"


def _array(value: Any) -> Any:
    if hasattr(value, "detach") and not hasattr(value, "array"):
        value = value.detach().cpu().numpy()  # a tensor of PyTorch
    return to_array(value)
