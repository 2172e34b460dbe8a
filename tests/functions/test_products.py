"""Products beside PyTorch and NumPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iii->i", (2, 2, 2)),
    ("ij->", (2, 3)),
    ("ba", (2, 3)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...->...", (2, 3)),
    ("b...,b...->b", (3, 2, 2), (3, 2, 2)),
    ("...a,...b", (3, 2), (4, 3, 5)),
    ("i,j->ji", (2,), (3,)),
    ("ij,ij->i", (2, 1), (2, 3)),
    ("ij,ij,ij->ij", (2, 3), (2, 3), (2, 3)),
    ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 5), (5, 2)),
    ("iij,jk->ik", (2, 2, 3), (3, 4)),
    ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)),
    ("ijk,ikj->i", (2, 3, 4), (2, 4, 3)),
    (",", (), ()),
    ("ij,kl->", (0, 3), (2, 2)),
    ("Ba , aB", (2, 3), (3, 2)),
]


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda case: case[0])
def test_einsum_agrees_with_pytorch(case):
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    equation, *shapes = case
    agree(
        lambda *xs: dotori.einsum(equation, *xs),
        lambda *ts: torch.einsum(equation, *ts),
        *(draw(*s) for s in shapes),
    )


@st.composite
def equations(draw):
    """A random equation over four letters, with the shapes of its terms."""
    sizes = {c: draw(st.integers(0, 3)) for c in "abcd"}
    term = st.text("abcd", max_size=3)
    terms = draw(st.lists(term, min_size=1, max_size=4))
    letters = sorted({c for t in terms for c in t})
    output = draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))]
    equation = ",".join(terms) + "->" + "".join(output)
    return equation, [tuple(sizes[c] for c in t) for t in terms]


@given(equations())
def test_einsum_is_numpys(case):
    equation, shapes = case
    arrays = [RNG.standard_normal(s) for s in shapes]
    found = dotori.einsum(equation, *arrays).numpy()
    assert_allclose(found, np.einsum(equation, *arrays), atol=1e-12)


def test_einsum_in_the_sublist_format():
    a, b = draw(2, 3, 4), draw(2, 4, 5)
    found = dotori.einsum(a, [..., 0, 1], b, [..., 1, 2], [..., 0, 2])
    assert_allclose(found.numpy(), a @ b)
    assert_allclose(dotori.einsum(a, [0, 1, 30]).numpy(), a)
    assert_allclose(dotori.einsum("ij->j", [dotori.tensor(a[0])]).numpy(), a[0].sum(0))


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (lambda: dotori.einsum("ij,jk", np.eye(2)), ArgumentError, "2 terms"),
        (lambda: dotori.einsum("i", np.eye(2)), ShapeError, "'i' .* with 2 axes"),
        (lambda: dotori.einsum("ij->k", np.eye(2)), ArgumentError, "letters of the"),
        (lambda: dotori.einsum("ij->ii", np.eye(2)), ArgumentError, "letters of the"),
        (lambda: dotori.einsum("i.j", np.eye(2)), ArgumentError, "may hold letters"),
        (
            lambda: dotori.einsum("ij,jk", np.ones((2, 3)), np.ones((4, 2))),
            ShapeError,
            "'j' have the lengths 3 and 4",
        ),
        (lambda: dotori.einsum("ii", np.ones((2, 3))), ShapeError, "lengths 2 and 3"),
        (lambda: dotori.einsum(np.eye(2), [0, 60]), ArgumentError, "below 52"),
        (lambda: dotori.dot(np.eye(2), np.eye(2)), ShapeError, "1 and 1 axes"),
        (lambda: dotori.mm(np.eye(2), np.ones(2)), ShapeError, "2 and 2 axes"),
        (
            lambda: dotori.bmm(np.ones((2, 1, 1)), np.ones((3, 1, 1))),
            ShapeError,
            "equal length",
        ),
        (lambda: dotori.mv(np.eye(2), np.ones(3)), ShapeError, "matmul was given"),
        (
            lambda: dotori.mm(np.eye(2), np.eye(2, dtype=np.float32)),
            DTypeError,
            "one type",
        ),
        (lambda: dotori.outer(np.eye(2), [1.0]), ShapeError, "two vectors"),
        (lambda: dotori.inner([1.0, 2.0], [1.0]), ShapeError, "equally long"),
        (lambda: dotori.cross([1.0, 2.0], [1.0, 2.0]), ShapeError, "length 3"),
        (
            lambda: dotori.tensordot(np.eye(2), np.eye(3), 1),
            ShapeError,
            "must be equally long",
        ),
        (lambda: dotori.tensordot(np.eye(2), np.eye(2), 3), ArgumentError, "0 to 2"),
        (
            lambda: dotori.addmm(np.ones((3, 3)), np.eye(2), np.eye(2)),
            ShapeError,
            "does not broadcast",
        ),
        (
            lambda: dotori.addmv(np.float32([1, 1]), np.eye(2), np.ones(2)),
            DTypeError,
            "one type",
        ),
        (lambda: dotori.trace(np.ones(3)), ShapeError, "one matrix"),
    ],
)
def test_mistakes_are_named(mistake, kind, message):
    with pytest.raises(kind, match=message):
        mistake()


@pytest.mark.parametrize(
    ("name", "arrays", "options"),
    [
        ("dot", (draw(3), draw(3)), {}),
        ("vdot", (draw(3), draw(3)), {}),
        ("mv", (draw(2, 3), draw(3)), {}),
        ("mm", (draw(2, 3), draw(3, 4)), {}),
        ("bmm", (draw(5, 2, 3), draw(5, 3, 4)), {}),
        ("outer", (draw(2), draw(3)), {}),
        ("inner", (draw(2, 3), draw(4, 3)), {}),
        ("inner", (draw(2, 3), draw()), {}),
        ("tensordot", (draw(2, 3, 4), draw(3, 4, 5)), {}),
        ("tensordot", (draw(2, 3), draw(3, 2)), {"dims": ([0, 1], [1, 0])}),
        ("tensordot", (draw(2, 3), draw(4)), {"dims": 0}),
        ("kron", (draw(2, 3), draw(4)), {}),
        ("kron", (draw(2), draw(3, 1, 2)), {}),
        ("cross", (draw(3, 4), draw(3, 4)), {"dim": 0}),
        ("cross", (draw(2, 3), draw(1, 3)), {"dim": -1}),
        ("trace", (draw(2, 3),), {}),
        ("addmm", (draw(2), draw(4, 3), draw(3, 2)), {"beta": 0.5, "alpha": 2}),
        ("addmv", (draw(1), draw(4, 3), draw(3)), {"beta": 0.5, "alpha": 2}),
        ("addr", (draw(1, 3), draw(4), draw(3)), {"beta": 0.5, "alpha": 2}),
        ("baddbmm", (draw(3), draw(2, 4, 5), draw(2, 5, 3)), {"alpha": 2}),
        ("addbmm", (draw(4, 1), draw(2, 4, 5), draw(2, 5, 3)), {"beta": 3}),
        ("matmul", (draw(3), draw(2, 3, 4)), {}),
        ("matmul", (draw(5, 1, 2, 3), draw(4, 3, 2)), {}),
        ("matmul", (draw(2, 3, 4), draw(4)), {}),
    ],
)
def test_products_agree_with_pytorch(name, arrays, options):
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    agree(
        lambda *xs: getattr(dotori, name)(*xs, **options),
        lambda *ts: getattr(torch, name)(*ts, **options),
        *arrays,
    )


def test_with_beta_0_what_is_added_is_not_looked_at():
    nan = np.full((2, 2), np.nan)
    found = dotori.addmm(nan, np.eye(2), np.eye(2), beta=0)
    assert found.tolist() == np.eye(2).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64])
def test_types_stay(dtype):
    a = np.arange(4).reshape(2, 2).astype(dtype)
    for y in (
        dotori.mm(a, a),
        dotori.einsum("ij,jk->ik", a, a),
        dotori.tensordot(a, a, 1),
        dotori.kron(a, a),
        dotori.addmm(a, a, a, beta=2, alpha=3),
        dotori.outer(a[0], a[1]),
    ):
        assert y.dtype == dtype


def test_numpys_functions_reach_them():
    a, b = draw(3, 3), draw(3, 3)
    x, y = (dotori.tensor(m, requires_grad=True) for m in (a, b))
    for f in (np.dot, np.inner, np.outer, np.vdot, np.kron, np.cross, np.tensordot):
        found = f(x, y)
        assert found.requires_grad, f
        assert_allclose(found.detach().numpy(), f(a, b), rtol=1e-12)
    found = np.einsum("ij,kj->ik", x, y)
    assert found.requires_grad
    assert_allclose(found.detach().numpy(), a @ b.T)
    assert_allclose(np.trace(x, 1).item(), np.trace(a, 1))
    stack = draw(2, 3, 4)
    found = np.trace(dotori.tensor(stack), -1, 1, 2)
    assert_allclose(found.numpy(), np.trace(stack, -1, 1, 2))
    found = np.dot(dotori.tensor(stack), draw(5, 4, 2))
    assert found.shape == (2, 3, 5, 2)


@given(st.lists(st.integers(1, 6), min_size=3, max_size=7))
def test_multi_dot_is_the_product_in_any_order(sizes):
    parts = [RNG.standard_normal(s) for s in itertools.pairwise(sizes)]
    found = dotori.linalg.multi_dot(parts).numpy()
    assert_allclose(found, np.linalg.multi_dot(parts), rtol=1e-9, atol=1e-12)
    assert_allclose(dotori.chain_matmul(*parts).numpy(), found)


def test_multi_dot_takes_the_cheapest_order():
    from dotori.linalg.products import _best_cuts

    # (10x100)(100x5)(5x50): the first two first, 7,500 products instead of 75,000
    assert _best_cuts([10, 100, 5, 50])[0, 2] == 1
    assert _best_cuts([1, 100, 5, 1])[0, 2] == 1
    assert _best_cuts([100, 5, 50, 1])[0, 2] == 0


def test_methods_are_there():
    a = dotori.tensor(draw(3, 3))
    v = a[0]
    assert a.mm(a).tolist() == (a @ a).tolist()
    assert a.mv(v).tolist() == (a @ v).tolist()
    assert v.dot(v).item() == (v @ v).item()
    assert v.ger(v).tolist() == v.outer(v).tolist()
    assert a.addmm(a, a, beta=0).tolist() == a.mm(a).tolist()
    assert a.trace().item() == np.trace(a.array)
