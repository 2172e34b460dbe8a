"""Dead units: those of a ReLU that are zero for every sample, and so learn nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dotori.autograd import no_grad
from dotori.functions.creation import as_tensor
from dotori.nn.module import Module
from dotori.nn.rectifier import ReLU


def dead_units(model: Module, batches: Iterable[Any]) -> dict[str, float]:
    """The share of units of each ReLU that are zero for all samples.

    Parameters
    ----------
    model : Module
    batches : iterable
        Inputs, or (input, target) pairs as a loader gives them.

    Returns
    -------
    dict
        The share, from 0 to 1, by the path of the ReLU.

    Examples
    --------
    >>> from dotori import nn
    >>> model = nn.Sequential(nn.Linear(1, 4), nn.ReLU())
    >>> _ = nn.init.constant_(model[0].bias, -9.0)
    >>> dead_units(model, [np.ones((8, 1), np.float32)])
    {'1': 1.0}
    """
    alive: dict[str, Any] = {}

    def watch(path: str) -> Any:
        def see(module: Module, inputs: Any, output: Any) -> None:
            active = (output.array > 0).any(axis=0)
            alive[path] = alive.get(path, False) | active

        return see

    handles = [
        module.register_forward_hook(watch(path))
        for path, module in model.named_modules()
        if isinstance(module, ReLU)
    ]
    training = model.training
    model.eval()
    try:
        with no_grad():
            for batch in batches:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(as_tensor(x))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return {path: float(np.mean(~active)) for path, active in alive.items()}
