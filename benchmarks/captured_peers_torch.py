"""Training and inference of the workloads in PyTorch: eager, and by torch.compile."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from captured_workloads import Workload
from training_step import torch_parts


def network(workload: Workload, masks: bool = True) -> torch.nn.Module:
    """The network with its first weights: what all sides start from."""
    build = workload.case.build if masks else workload.case.checked
    torch.manual_seed(0)
    return (build or workload.case.build)(torch.nn)


def eager(workload: Workload, masks: bool = True) -> Callable[[], Any]:
    """One training step for each call: fused Adam, pictures with channels last."""
    build = None if masks else workload.case.checked
    step, batch, _ = torch_parts(workload.case, build)
    return lambda: step(*batch)


def compiled(workload: Workload, masks: bool = True) -> Callable[[], Any]:
    """The same with the network and its loss compiled; Adam is fused as it is."""
    case = workload.case
    _, (x, y), net = torch_parts(case, None if masks else case.checked)
    loss_of = getattr(torch.nn.functional, case.loss)
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    # A recurrent layer is left to PyTorch's own code, which warns of it.
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    torch._dynamo.reset()  # else one function compiled too often is left as it is
    forward = torch.compile(lambda x, y: loss_of(net(x), y))

    def call() -> Any:
        optimizer.zero_grad()
        loss = forward(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    call()  # compiles
    net.load_state_dict(network(workload, masks).state_dict())
    optimizer.state.clear()
    return call


def inference(
    workload: Workload, like: torch.nn.Module, x: np.ndarray
) -> Callable[[], Any]:
    """The network's outputs for `x`, for each call; call it in inference mode."""
    net, given = copy.deepcopy(like).eval(), torch.from_numpy(x)
    if workload.case.pictures:
        net = net.to(memory_format=torch.channels_last)
        given = given.to(memory_format=torch.channels_last)

    return lambda: net(given).numpy()
