"""Every module of `dotori.nn`, captured: outputs and gradients as without."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.errors import CaptureError

sys.path.insert(0, str(Path(__file__).parent))
from layer_samples import SAMPLES

CASES = [
    pytest.param(name, *sample, id=f"{name}-{i}")
    for name, samples in SAMPLES.items()
    for i, sample in enumerate(samples)
]

PLACES = "the places of the winners are looked up as plain numbers"
CLASSES = "the classes are looked up as plain numbers"
ROWS = "the rows that are used are counted, or found, as plain numbers"

#: Samples that look at numbers, so that the capture is refused, and what it looks for.
REFUSED = {
    "MultiMarginLoss-0": CLASSES,
    "MultiMarginLoss-1": CLASSES,
    "MultiLabelMarginLoss-0": CLASSES,
    "Embedding-1": ROWS,
    "Embedding-2": ROWS,
    "EmbeddingBag-1": ROWS,
    "EmbeddingBag-2": ROWS,
    "AdaptiveMaxPool1d-0": PLACES,
    "AdaptiveMaxPool2d-1": PLACES,
    "AdaptiveMaxPool2d-2": PLACES,
    "AdaptiveMaxPool3d-0": PLACES,
    "FractionalMaxPool2d-0": PLACES,
    "FractionalMaxPool3d-0": PLACES,
    "MaxUnpool1d-0": PLACES,
    "MaxUnpool2d-0": PLACES,
    "MaxUnpool3d-0": PLACES,
}
#: In training, it divides by the number of batches so far.
REFUSED_IN_TRAINING = {"BatchNorm1d-1"}


def step_of(module: nn.Module) -> Any:
    def step(*xs: Any) -> Any:
        module.zero_grad()
        y = module(*xs)
        first = y[0] if isinstance(y, tuple) else y
        (first * first).sum().backward()
        return first

    return step


@pytest.mark.parametrize(("name", "args", "keywords", "inputs"), CASES)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_as_without(
    request: Any, name: str, args: Any, keywords: Any, inputs: Any, training: bool
) -> None:
    case = request.node.callspec.id.partition("-")[2]
    refused = case in REFUSED or (training and case in REFUSED_IN_TRAINING)
    module = getattr(nn, name)(*args, **keywords).double().train(training)
    state = {k: v.array.copy() for k, v in module.state_dict().items()}
    step = step_of(module)
    captured = dotori.compile(step, mode="numpy")
    if refused:
        with pytest.raises(CaptureError, match=r"line|outside"):
            captured(*map(dotori.as_tensor, inputs))
        return
    results = []
    for f in (step, captured):
        module.load_state_dict({k: dotori.tensor(v) for k, v in state.items()})
        dotori.manual_seed(0)
        xs = []
        for a in inputs:
            wanted = a.dtype.kind == "f"
            xs.append(dotori.as_tensor(a.copy("K")).requires_grad_(wanted))
        outputs = [f(*xs).detach().array.copy() for _ in range(2)]
        named = dict(module.named_parameters())
        grads = [p.grad for p in (*xs, *named.values())]
        buffers = {k: v.array.copy() for k, v in module.state_dict().items()}
        results.append((outputs, grads, buffers))
    (wanted, wanted_grads, left), (got, grads, also_left) = results
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    for g, h in zip(grads, wanted_grads, strict=True):
        assert (g is None) == (h is None)
        if g is not None:
            np.testing.assert_allclose(g.array, h.array, rtol=1e-8, atol=1e-10)
    for key, array in left.items():
        np.testing.assert_allclose(also_left[key], array, rtol=1e-9, atol=1e-11)
