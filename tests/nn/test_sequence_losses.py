"""CTC and the classifiers of many classes beside PyTorch's and beside enumeration."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn import functional as F
from dotori.ops.ctc import CTC, step_by_step, with_blanks


def spelled(path, blank=0):
    """What a path spells: repetitions dropped, then blanks."""
    kept = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
    return [c for c in kept if c != blank]


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [1, 2], [2, 1, 2]])
def test_the_loss_is_the_sum_over_all_paths(rng, labels):
    x = rng.standard_normal((4, 1, 3))
    x -= np.log(np.exp(x).sum(axis=2, keepdims=True))
    total = sum(
        np.exp(sum(x[t, 0, c] for t, c in enumerate(path)))
        for path in product(range(3), repeat=4)
        if spelled(path) == labels
    )
    target = np.array([labels], dtype=np.int64)
    loss = F.ctc_loss(dotori.tensor(x), target, [4], [len(labels)], reduction="none")
    assert loss.item() == pytest.approx(-np.log(total), rel=1e-12)


@st.composite
def problems(draw):
    times, batch = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    classes, longest = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return {
        "x": rng.standard_normal((times, batch, classes)),
        "targets": rng.integers(1, classes, (batch, longest)),
        "input_lengths": rng.integers(1, times + 1, batch),
        "target_lengths": rng.integers(0, longest + 1, batch),
        "reduction": draw(st.sampled_from(["mean", "sum", "none"])),
    }


@given(problems(), st.booleans())
def test_ctc_is_pytorchs(problem, one_after_another):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = problem.pop("x")
    x = dotori.tensor(a, requires_grad=True)
    t = torch.tensor(a, requires_grad=True)
    if one_after_another:
        rows = zip(problem["targets"], problem["target_lengths"], strict=True)
        problem["targets"] = np.concatenate([row[:n] for row, n in rows])
    options = {"reduction": problem.pop("reduction"), "zero_infinity": True}
    ours = F.ctc_loss(x.log_softmax(2), *problem.values(), **options)
    theirs = torch.nn.functional.ctc_loss(
        t.log_softmax(2), *map(torch.as_tensor, problem.values()), **options
    )
    np.testing.assert_allclose(ours.detach(), theirs.detach(), rtol=1e-9, atol=1e-12)
    ours.sum().backward()
    theirs.sum().backward()
    np.testing.assert_allclose(x.grad, t.grad, rtol=1e-7, atol=1e-12)


def test_the_two_ways_to_the_loss_are_one(rng):
    labels, lengths = np.array([[1, 2, 2], [3, 1, 0]]), np.array([3, 2])
    states, may_skip = with_blanks(labels, lengths, 0)
    x = dotori.tensor(rng.standard_normal((8, 2, 4)), requires_grad=True)
    attrs = {
        "states": states,
        "may_skip": may_skip,
        "times": np.array([8, 6]),
        "ends": 2 * lengths + 1,
    }
    fast = dotori.autograd.apply(CTC, x, **attrs)
    slow = step_by_step(dotori.autograd.graph.tensor_namespace(), x, **attrs)
    np.testing.assert_allclose(fast.detach(), slow.detach(), rtol=1e-12)


BAD = [
    ({"targets": [[3]]}, ArgumentError, "classes are 0, ..., 2"),
    ({"targets": [[0]]}, ArgumentError, "which is the blank"),
    ({"targets": [[1.5]]}, DTypeError, "targets must be integers"),
    ({"targets": [1, 1, 1]}, ShapeError, "as many labels as target_lengths"),
    ({"input_lengths": [5]}, ArgumentError, "from 0 to 4"),
    ({"input_lengths": [4, 4]}, ShapeError, "2 numbers for 1 samples"),
    ({"target_lengths": [2]}, ArgumentError, "from 0 to 1"),
    ({"blank": 3}, ArgumentError, "none of 3 classes"),
    ({"reduction": "max"}, ArgumentError, "'mean', 'sum' or 'none'"),
    ({"log_probs": np.zeros(3)}, ShapeError, r"got float64 of shape \(3,\)"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD)
def test_ctc_refuses(change, error, message):
    fine = {
        "log_probs": np.zeros((4, 1, 3)),
        "targets": [[1]],
        "input_lengths": [4],
        "target_lengths": [1],
    }
    F.ctc_loss(**fine)
    with pytest.raises(error, match=message):
        F.ctc_loss(**{**fine, **change})


def test_a_sequence_that_does_not_fit_is_infinitely_far():
    x = dotori.zeros(2, 1, 3).log_softmax(2)
    assert F.ctc_loss(x, [[1, 1]], [2], [2]).item() == np.inf
    assert nn.CTCLoss(zero_infinity=True)(x, [[1, 1]], [2], [2]).item() == 0


def test_adaptive_softmax_is_pytorchs(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(64, 12, [3, 6, 9], head_bias=True)
    theirs = theirs.double()
    ours = nn.AdaptiveLogSoftmaxWithLoss(
        64, 12, [3, 6, 9], head_bias=True, dtype=np.float64
    )
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x, labels = rng.standard_normal((20, 64)), rng.integers(0, 12, 20)
    output, loss = ours(dotori.tensor(x), dotori.tensor(labels))
    wanted = theirs(torch.tensor(x), torch.tensor(labels))
    np.testing.assert_allclose(output.detach(), wanted.output.detach(), rtol=1e-9)
    assert loss.item() == pytest.approx(wanted.loss.item(), rel=1e-12)
    loss.backward()
    wanted.loss.backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-7, atol=1e-12)
    every = ours.log_prob(x)
    np.testing.assert_allclose(every.exp().sum(dim=1).detach(), np.ones(20))
    assert ours.predict(x).tolist() == theirs.predict(torch.tensor(x)).tolist()
    with pytest.raises(ArgumentError, match="rising numbers"):
        nn.AdaptiveLogSoftmaxWithLoss(4, 5, [3, 3])
    with pytest.raises(ArgumentError, match=r"classes are 0, \.\.\., 11"):
        ours(x, np.full(20, 12))


@pytest.mark.parametrize("places", [(), (2,)])
def test_a_linear_layer_inside_of_the_loss(rng, places):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    theirs = torch.nn.LinearCrossEntropyLoss(
        3, 4, out_features=places, bias=True, label_smoothing=0.1
    ).double()
    ours = nn.LinearCrossEntropyLoss(
        3, 4, out_features=places, bias=True, label_smoothing=0.1, dtype=np.float64
    )
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x, labels = rng.standard_normal((5, 3)), rng.integers(0, 4, (5, *places))
    wanted = theirs(torch.tensor(x), torch.tensor(labels))
    assert ours(x, labels).item() == pytest.approx(wanted.item(), rel=1e-9)


def test_a_hard_draw_is_one_hot_with_the_gradient_of_the_soft_one():
    logits = dotori.tensor([[1.0, 2.0, 0.5]], requires_grad=True)
    counts = np.zeros(3)
    for _ in range(300):
        drawn = F.gumbel_softmax(logits, hard=True)
        counts += drawn.detach().numpy()[0]
        assert sorted(drawn.tolist()[0]) == [0.0, 0.0, 1.0]
    wanted = F.softmax(logits).detach().numpy()[0]
    np.testing.assert_allclose(counts / 300, wanted, atol=0.1)
    (drawn * dotori.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert abs(logits.grad.numpy()).max() > 0
