"""Groups of parameters by a rule."""

from __future__ import annotations

from typing import Any

from dotori.nn.module import Module


def param_groups_weight_decay(
    model: Module, weight_decay: float
) -> list[dict[str, Any]]:
    """Weight decay for matrices, none for biases and the scales of normalisations.

    What has one axis or none only shifts or scales: decay does not make it simpler
    (Loshchilov and Hutter, 2019, leave it out as well).

    Examples
    --------
    >>> from dotori import nn
    >>> groups = param_groups_weight_decay(nn.Linear(2, 3), 0.01)
    >>> [(g["weight_decay"], len(g["params"])) for g in groups]
    [(0.01, 1), (0.0, 1)]
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not weight_decay:
        return [{"params": parameters, "weight_decay": 0.0}]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
