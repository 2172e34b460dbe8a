"""Answers that looked right and were not: each was wrong without a word once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dotori
from dotori import linalg

A = np.random.default_rng(0).standard_normal((3, 3)) + 3 * np.eye(3)


@pytest.mark.parametrize(
    "score",
    [
        lambda lib, a: (lib.linalg.qr(a)[1] ** 4).sum(),
        lambda lib, a: (lib.linalg.qr(a)[0] ** 4).sum(),
        lambda lib, a: (lib.linalg.svd(a)[0] ** 4).sum(),
        lambda lib, a: (lib.linalg.svd(a)[2] ** 4).sum(),
        lambda lib, a: (lib.linalg.eigh(a + a.T)[1] ** 4).sum(),
        lambda lib, a: (lib.linalg.pinv(a[:, :2]) ** 2).sum(),
    ],
    ids=["R", "Q", "U", "Vh", "eigenvectors", "pinv"],
)
def test_second_gradient_where_outputs_enter_not_linearly(score):
    """An output reaches the second gradient twice: as itself and as what was saved."""
    torch = pytest.importorskip("torch", reason="the oracle")
    seconds = []
    for lib, x in (
        (dotori, dotori.tensor(A, requires_grad=True)),
        (torch, torch.tensor(A, requires_grad=True)),
    ):
        grad = lib.autograd.grad(score(lib, x), x, create_graph=True)
        first = grad[0] if isinstance(grad, tuple) else grad
        (first * first).sum().backward()
        seconds.append(x.grad.numpy())
    assert_allclose(seconds[0], seconds[1], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("matrix", [np.eye(2), np.ones((2, 2)), np.diag([2.0, 0.0])])
def test_gradient_of_pinv_at_equal_and_zero_singular_values(matrix):
    torch = pytest.importorskip("torch", reason="the oracle")
    x, z = dotori.tensor(matrix, requires_grad=True), torch.tensor(matrix)
    z.requires_grad_()
    linalg.pinv(x).sum().backward()
    torch.linalg.pinv(z).sum().backward()
    assert_allclose(x.grad.numpy(), z.grad.numpy(), atol=1e-12)


def test_gradient_of_det_of_a_singular_matrix_is_its_cofactors():
    x = dotori.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    linalg.det(x).backward()
    assert_allclose(x.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-5)


def test_an_index_changed_after_its_use_does_not_move_the_gradient():
    x = dotori.tensor(np.arange(3.0), requires_grad=True)
    index, mask = np.array([0, 0]), dotori.tensor([True, False, False])
    y, z = x[index], x[mask]
    index[:] = 2
    mask.fill_(True)
    (y.sum() + 10 * z.sum()).backward()
    assert x.grad.tolist() == [12.0, 0.0, 0.0]


def test_an_empty_list_takes_nothing():
    assert dotori.zeros((3, 4))[[]].shape == (0, 4)


def test_triangles_are_chosen_not_multiplied():
    a = np.array([[1.0, np.inf], [np.nan, 1.0]])
    assert dotori.tril(a)[0].tolist() == [1.0, 0.0]
    assert dotori.triu(a)[1].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "write",
    [
        lambda t, w: t.add_(w),
        lambda t, w: t.sub_(w, alpha=2),
        lambda t, w: t.copy_(w),
        lambda t, w: t.__setitem__(0, w[0]),
    ],
    ids=["add_", "sub_", "copy_", "setitem"],
)
def test_a_value_that_is_written_keeps_its_gradient(write):
    t, w = dotori.zeros((2,)), dotori.tensor([1.0, 2.0], requires_grad=True)
    with dotori.no_grad():
        write(t, w)
    assert t.tolist() != [0.0, 0.0] and not t.requires_grad
    write(t, w)
    t.sum().backward()
    assert w.grad is not None and w.grad.tolist() != [0.0, 0.0]


def test_concatenate_without_an_axis_is_one_row():
    a = np.arange(4.0).reshape(2, 2)
    t = np.concatenate([dotori.tensor(a), a], axis=None)
    assert t.tolist() == np.concatenate([a, a], axis=None).tolist()


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, 2, np.inf])
def test_norm_of_a_matrix_with_an_order_is_that_of_matrices(order):
    a = np.arange(12.0).reshape(3, 4)
    assert linalg.norm(a, order).item() == pytest.approx(np.linalg.norm(a, order))


def test_transpose_takes_the_axes_of_numpy():
    x = dotori.zeros((2, 3, 4))
    assert x.transpose((2, 0, 1)).shape == (4, 2, 3)
    assert x.transpose().shape == (4, 3, 2)
    assert x.transpose(0, 2).shape == (4, 3, 2)


def test_a_long_axis_that_is_not_the_last_is_summed_as_exactly_as_the_last():
    x = np.random.default_rng(0).uniform(0, 1, (300_000, 2)).astype(np.float32)
    exact = x.astype(np.float64)
    t = dotori.tensor(x)
    for ours, wanted in (
        (t.sum(dim=0), exact.sum(0)),
        (t.sum(dim=-2, keepdim=True)[0], exact.sum(0)),
        (t.mean(dim=0), exact.mean(0)),
        (t.var(dim=0), exact.var(0, ddof=1)),
        (t.reshape(1, -1, 2).sum(dim=1)[0], exact.sum(0)),
    ):
        np.testing.assert_allclose(ours, wanted, rtol=1e-6)
