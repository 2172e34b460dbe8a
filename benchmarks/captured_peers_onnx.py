"""Inference of the workloads in ONNX Runtime, by PyTorch's tracing exporter."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import torch


def exported(like: torch.nn.Module, x: np.ndarray) -> bytes:
    """The network as an ONNX model for inputs of the shape of `x`."""
    file = io.BytesIO()
    # The exporter does not know the fused operation of encoder layers.
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for the newer one, onnxscript
            net = copy.deepcopy(like).eval()
            torch.onnx.export(net, (torch.from_numpy(x),), file, dynamo=False)
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    return file.getvalue()


def inference(
    like: torch.nn.Module, x: np.ndarray, threads: int
) -> Callable[[], np.ndarray]:
    """The network's outputs for `x`, for each call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        exported(like, x), options, providers=["CPUExecutionProvider"]
    )
    given: dict[str, Any] = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, given)[0]
