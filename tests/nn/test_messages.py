"""Thirty messages, word for word: each says what was given, wanted, and what to do."""

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.nn import functional as F


def t(*args, **kwargs):
    return dotori.tensor(*args, **kwargs)


def f32(*shape):
    return np.zeros(shape, np.float32)


def twice():
    loss = (t([1.0, 2.0], requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(13, 64), nn.ReLU())
        self.head = nn.Linear(64, 1)

    def forward(self, x):
        return self.head(self.encoder(x))


class TooEarly(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(1, 1)


MESSAGES = [
    (
        lambda: Net()(f32(32, 12)),
        "ShapeError",
        "linear: x has shape (32, 12), but the weight of shape (64, 13) wants its last axis to be 13",
    ),
    (
        lambda: nn.Linear(784, 10)(f32(32, 28, 28)),
        "ShapeError",
        "linear: x has shape (32, 28, 28), but the weight of shape (10, 784) wants its last axis to be 784; put nn.Flatten() before this layer",
    ),
    (
        lambda: nn.Linear(13, 1)(f32(13, 32)),
        "ShapeError",
        "linear: x has shape (13, 32), but the weight of shape (1, 13) wants its last axis to be 13; x looks transposed, samples are rows",
    ),
    (
        lambda: dotori.ones(2, 3) @ dotori.ones(4, 5),
        "ShapeError",
        "matmul was given shapes (2, 3) and (4, 5): the last axis of the first must be as long as the last but one of the second",
    ),
    (
        lambda: dotori.ones(2, 3) + dotori.ones(4),
        "ShapeError",
        "Add: the shapes (2, 3) and (4,) do not go together; from the last axis backwards, sizes must be equal or 1",
    ),
    (
        lambda: dotori.ones(2, 3).reshape(4, 2),
        "ShapeError",
        "reshape: 6 elements of shape (2, 3) cannot form (4, 2)",
    ),
    (
        lambda: dotori.cat([dotori.ones(2, 3), dotori.ones(2, 4)]),
        "ShapeError",
        "cat along axis 0: a tensor of shape (2, 3), and tensor 1 of shape (2, 4); they may differ in that axis only",
    ),
    (
        lambda: dotori.stack([dotori.ones(2), dotori.ones(3)]),
        "ShapeError",
        "stack: tensor 0 has shape (2,), tensor 1 (3,); they must be equal",
    ),
    (
        lambda: dotori.ones(2, 3).sum(dim=2),
        "AxisError",
        "sum: axis 2 lies outside of the shape (2, 3); it must be from -2 to 1",
    ),
    (
        lambda: dotori.ones(2, 3)[5],
        "AxisError",
        "index into shape (2, 3): index 5 is out of bounds for axis 0 with size 2",
    ),
    (
        lambda: t([1, 2]).mean(),
        "DTypeError",
        "mean: floats were wanted, got int64; use .float() or give a dtype",
    ),
    (
        lambda: t(["a"]),
        "DTypeError",
        "a tensor holds booleans, integers, floats or complex numbers, got dtype <U1; turn text into numbers first",
    ),
    (
        lambda: t([[1.0], [1.0, 2.0]]),
        "DTypeError",
        "the data cannot form an array; are its rows of different lengths?",
    ),
    (
        lambda: t([1], requires_grad=True),
        "DTypeError",
        "only floats have gradients, this tensor holds int64; convert it first, for example with .float()",
    ),
    (
        lambda: t([1.0], requires_grad=True).numpy(),
        "GradientError",
        "numpy() would let changes go unseen by the graph; call .detach().numpy() on a tensor that requires a gradient",
    ),
    (
        lambda: (t([1.0, 2.0], requires_grad=True) * 2).backward(),
        "GradientError",
        "backward: a gradient can be started only at a single number, but the tensor has shape (2,); reduce it first, for example with .sum() or .mean(), or pass the gradient",
    ),
    (
        lambda: t(1.0).backward(),
        "GradientError",
        "backward: the tensor of shape () has no graph: nothing that it was computed from requires a gradient, or it was made under no_grad()",
    ),
    (
        twice,
        "GradientError",
        "backward: the graph behind Sum was freed by an earlier backward(); pass retain_graph=True to that one to walk it again",
    ),
    (
        lambda: t([1.0], requires_grad=True).add_(1),
        "GradientError",
        "add_ would change a tensor of shape (1,) that gradients are kept for; use the form that makes a new tensor, or write under `with dotori.no_grad():`",
    ),
    (
        lambda: F.mse_loss(f32(4, 1), f32(4)),
        "ShapeError",
        "mse_loss: the prediction has shape (4, 1), but the target (4,); they must be equal, or every prediction would be compared with every target; use target.reshape(-1, 1), or prediction.squeeze(-1)",
    ),
    (
        lambda: F.cross_entropy(f32(4, 3), np.array([0.5, 1, 2, 0], np.float32)),
        "DTypeError",
        "cross_entropy: float labels must be whole numbers, found 0.5; give classes as integers, or probabilities for the 3 classes in the shape of the logits, (4, 3)",
    ),
    (
        lambda: F.cross_entropy(f32(4, 3), np.array([0, 1, 3, 0])),
        "ArgumentError",
        "cross_entropy: the label 3 at 2 is not one of the 3 classes 0, ..., 2",
    ),
    (
        lambda: F.binary_cross_entropy(
            np.array([2.0], np.float32), np.array([1.0], np.float32)
        ),
        "ArgumentError",
        "binary_cross_entropy: every prediction must be from 0 to 1, found 2 at (0,); for logits use binary_cross_entropy_with_logits",
    ),
    (
        lambda: optim.Adam([]),
        "ArgumentError",
        "Adam was given no parameters; pass model.parameters(), and mind that an iterator is empty after one use",
    ),
    (
        lambda: nn.Linear(3, 2).load_state_dict({"weight": f32(2, 2), "extra": f32(1)}),
        "ShapeError",
        "the state does not fit Linear, nothing was loaded:\n  weight has shape (2, 2), wanted (2, 3)\n  bias is missing\n  extra is unexpected",
    ),
    (
        TooEarly,
        "ArgumentError",
        "TooEarly: call super().__init__() before assigning 'fc'",
    ),
    (
        lambda: nn.Sequential(nn.ReLU),
        "DTypeError",
        "Sequential holds modules, got type: give an instance of it",
    ),
    (
        lambda: dotori.linalg.inv(np.zeros((2, 2))),
        "LinAlgError",
        "linalg.inv of shape (2, 2): singular matrix; pinv and lstsq work for it",
    ),
    (
        lambda: nn.Dropout(1.5)(dotori.ones(2)),
        "ArgumentError",
        "Dropout: p is a probability, from 0 to 1, got 1.5",
    ),
    (lambda: nn.Module()(1), "NotImplementedError", "Module has no forward method"),
]


@pytest.mark.parametrize(("act", "error", "message"), MESSAGES)
def test_word_for_word(act, error, message):
    with pytest.raises(Exception) as caught:
        act()
    assert (type(caught.value).__name__, str(caught.value)) == (error, message)


def test_the_path_of_the_module_is_named():
    with pytest.raises(ValueError) as caught:
        Net()(f32(32, 12))
    (note,) = caught.value.__notes__
    head = "in model.encoder.0: Linear(in_features=13, out_features=64, bias=True)"
    assert note == f"{head}, given (32, 12)"
