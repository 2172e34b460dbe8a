"""Complex numbers beside PyTorch: values, types, gradients, second gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose

import dotori
from dotori.errors import DTypeError, ShapeError

RNG = np.random.default_rng(0)
Z, W = (RNG.standard_normal((3, 3)) + 1j * RNG.standard_normal((3, 3)) for _ in "zw")
A = RNG.standard_normal((3, 3))

SAME_IN_BOTH = {
    "product": (lambda lib, x, y: x * y, Z, W),
    "real times complex": (lambda lib, x, y: x * y, A, W),
    "quotient": (lambda lib, x, y: x / y, A, W),
    "quotient by a real": (lambda lib, x, y: x / y, Z, A),
    "sum and difference": (lambda lib, x, y: (x + y) * (x - y), Z, A),
    "matmul": (lambda lib, x, y: x @ y, Z, W),
    "powers": (lambda lib, x: x**3 + x**-1 + x * 2j, Z),
    "exp, log, sqrt": (lambda lib, x: lib.exp(x) + lib.log(x) + lib.sqrt(x), Z),
    "sin, cos, tanh": (lambda lib, x: lib.sin(x) * lib.cos(x) + lib.tanh(x), Z),
    "conj": (lambda lib, x: x.conj() * x * x, Z),
    "abs": (lambda lib, x: x.abs(), Z),
    "angle": (lambda lib, x: lib.angle(x), Z),
    "angle of reals": (lambda lib, x: lib.angle(x) + x, A),
    "sgn": (lambda lib, x: lib.sgn(x), Z),
    "parts": (lambda lib, x: (x * x).real + (x * x * x).imag, Z),
    "view_as_real": (lambda lib, x: lib.view_as_real(x * x) ** 2, Z),
    "view_as_complex": (lambda lib, x: lib.view_as_complex(x[:, :2] * 1) ** 3, A),
    "complex": (lambda lib, x, y: lib.complex(x, y) ** 2, A, A.T.copy()),
    "polar": (lambda lib, x, y: lib.polar(x, y) ** 2, abs(A), A.T.copy()),
    "mean and sum": (lambda lib, x: x.mean(0) * x.sum(1), Z),
    "index": (lambda lib, x: x[[0, 0, 2]] * x[1], Z),
    "reshape": (lambda lib, x: (x * 1j).reshape(9)[2:5], A),
    "cat": (lambda lib, x, y: lib.cat([x, y * y]) ** 2, Z, W),
    "where": (lambda lib, x, y: lib.where(x.real > 0, x * x, y), Z, W),
    "mH": (lambda lib, x: x.mH @ x, Z),
    "einsum": (lambda lib, x, y: lib.einsum("ij,kj->ik", x, y), Z, W),
    "inv": (lambda lib, x: lib.linalg.inv(x), Z),
    "solve": (lambda lib, x, y: lib.linalg.solve(x, y), Z, W),
    "det": (lambda lib, x: lib.linalg.det(x), Z),
    "vdot": (lambda lib, x, y: lib.vdot(x[0], y[1]), Z, W),
    "matrix_exp": (lambda lib, x: lib.linalg.matrix_exp(x), Z),
    "pinv": (lambda lib, x: lib.linalg.pinv(x[:, :2]), Z),
    "cholesky": (lambda lib, x: lib.linalg.cholesky(x @ x.mH + lib.eye(3) * 2), Z),
    "qr": (lambda lib, x: lib.linalg.qr(x)[1].abs(), Z),
    "norm": (lambda lib, x: lib.linalg.vector_norm(x, 3, 1), Z),
    "lu_factor": (lambda lib, x: lib.linalg.lu_factor(x)[0], Z),
}


@pytest.mark.parametrize("name", SAME_IN_BOTH)
def test_agrees_with_pytorch(name):
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    function, *arrays = SAME_IN_BOTH[name]
    agree(lambda *xs: function(dotori, *xs), lambda *ts: function(torch, *ts), *arrays)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (4, 4)])
def test_svd_and_eigh_of_complex_matrices_agree_with_pytorch(size):
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    m, n = size
    z = RNG.standard_normal((m, n)) + 1j * RNG.standard_normal((m, n))

    def phase_free(lib, x):
        u, s, vh = lib.linalg.svd(x, full_matrices=False)
        w, v = lib.linalg.eigh(x @ x.mH)
        turned = (u * s) @ vh + (u @ vh) * s.sum()
        return turned.abs().sum() + (v.abs() ** 3 * w).sum()

    agree(
        lambda x: phase_free(dotori, x),
        lambda t: phase_free(torch, t),
        z,
        second=m <= n,
        rtol=1e-6,
        atol=1e-8,
    )


def test_a_loss_that_depends_on_phases_has_no_gradient():
    x = dotori.tensor(Z, requires_grad=True)
    with pytest.raises(dotori.errors.GradientError, match="phases"):
        dotori.linalg.svd(x).U.real.sum().backward()
    with pytest.raises(dotori.errors.GradientError, match="phases"):
        dotori.linalg.eig(x).eigenvectors.imag.sum().backward()


def test_the_gradient_of_a_real_input_is_real():
    x = dotori.tensor(A, requires_grad=True)
    (x * (1 + 2j)).abs().sum().backward()
    assert x.grad.dtype == np.float64
    assert_allclose(x.grad.numpy(), np.sign(A) * 5**0.5)


def test_descent_against_the_gradient_makes_the_loss_smaller():
    z = dotori.tensor(Z, requires_grad=True)

    def loss(x):
        return ((x * x - 2).abs() ** 2).sum()

    loss(z).backward()
    with dotori.no_grad():
        assert loss(z - 1e-3 * z.grad).item() < loss(z).item()


def test_gradient_of_abs_and_angle_at_zero_is_zero():
    z = dotori.tensor([0j, 3 + 4j], requires_grad=True)
    z.abs().sum().backward()
    assert_allclose(z.grad.numpy(), [0, 0.6 + 0.8j], rtol=1e-6)
    z.grad = None
    dotori.angle(z).sum().backward()
    assert_allclose(z.grad.numpy(), [0, (-4 + 3j) / 25], rtol=1e-6)


NUMBERS = [np.float32([1]), np.float64([1]), np.int64([1]), np.complex64([1]), 1j, 2.0]
NUMBERS += [np.array(1j), np.array(1.0), np.bool_([True])]


@pytest.mark.parametrize("a", NUMBERS, ids=repr)
@pytest.mark.parametrize("b", NUMBERS, ids=repr)
def test_types_are_pytorchs(a, b):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    if not hasattr(a, "dtype") and not hasattr(b, "dtype"):
        pytest.skip("two numbers of Python")
    x, y = (dotori.tensor(v) if hasattr(v, "dtype") else v for v in (a, b))
    s, t = (torch.tensor(v) if hasattr(v, "dtype") else v for v in (a, b))
    for ours, theirs in ((x * y, s * t), (x + y, s + t), (x / y, s / t)):
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")


def test_python_lists_become_complex64():
    assert dotori.tensor([1j]).dtype == np.complex64
    assert (dotori.tensor([1.0]) * [1j]).dtype == np.complex64
    assert dotori.tensor(np.array([1j])).dtype == np.complex128


def test_parts_are_views():
    z = dotori.tensor(Z)
    for part in (z.real, z.imag, dotori.view_as_real(z)):
        assert np.shares_memory(part.array, z.array)
    pairs = dotori.tensor(RNG.standard_normal((4, 2)))
    assert np.shares_memory(dotori.view_as_complex(pairs).array, pairs.array)


def test_real_tensors_are_their_own_real_part_and_conjugate():
    x = dotori.tensor(A)
    assert x.real is x
    assert x.conj() is x
    assert dotori.resolve_conj(x) is dotori.resolve_neg(x) is x
    assert np.imag(x).tolist() == np.zeros((3, 3)).tolist()
    assert not x.is_complex()
    assert not x.is_conj()


@given(hnp.arrays(np.complex128, hnp.array_shapes(max_dims=3, max_side=3, min_side=0)))
def test_parts_put_together_are_the_whole(z):
    t = dotori.tensor(z)
    again = dotori.complex(t.real, t.imag).numpy()
    assert again.tobytes() == z.tobytes() or np.isnan(z).any()
    again = dotori.view_as_complex(dotori.view_as_real(t)).numpy()
    np.testing.assert_array_equal(again, z)


@given(st.floats(-3.1, 3.1), st.floats(0.1, 10))
def test_polar_and_angle_are_inverses(angle, length):
    z = dotori.polar(dotori.tensor([length]), dotori.tensor([angle]))
    assert dotori.angle(z).item() == pytest.approx(angle, abs=1e-5)
    assert z.abs().item() == pytest.approx(length, rel=1e-5)


def test_numpys_functions_reach_them():
    z = dotori.tensor(Z, requires_grad=True)
    for f in (np.real, np.imag, np.conj, np.angle, np.abs):
        y = f(z)
        assert isinstance(y, dotori.Tensor)
        assert y.requires_grad
        np.testing.assert_array_equal(y.array, f(Z))
    assert_allclose(np.angle(z, deg=True).detach().numpy(), np.angle(Z, deg=True))


@pytest.mark.parametrize(
    "function",
    [
        lambda z: z < z,
        lambda z: dotori.maximum(z, 1.0),
        lambda z: dotori.clamp(z, 0, 1),
        lambda z: dotori.floor(z),
        lambda z: dotori.sign(z),
        lambda z: dotori.nn.functional.relu(z),
        lambda z: dotori.erf(z),
        lambda z: z.softmax(0),
        lambda z: z.max(),
        lambda z: z % 2,
    ],
)
def test_what_needs_an_order_or_has_no_formula_is_refused(function):
    with pytest.raises(DTypeError, match="complex"):
        function(dotori.tensor([1j, 2.0]))


def test_random_complex_numbers_have_two_random_parts():
    dotori.manual_seed(0)
    z = dotori.randn(20000, dtype=dotori.complex64)
    assert z.dtype == np.complex64
    assert z.real.var().item() == pytest.approx(0.5, rel=0.05)
    assert z.imag.var().item() == pytest.approx(0.5, rel=0.05)
    u = dotori.rand(20000, dtype=dotori.complex128)
    assert u.imag.mean().item() == pytest.approx(0.5, rel=0.05)
    assert 0 <= u.imag.min().item()
    assert u.imag.max().item() < 1


def test_casts_drop_the_imaginary_part_as_pytorch():
    z = dotori.tensor([1 + 2j, 3j], requires_grad=True)
    y = z.float()
    assert y.tolist() == [1.0, 0.0]
    y.sum().backward()
    assert z.grad.tolist() == [1, 1]
    assert z.detach().to(np.bool_).tolist() == [True, True]


def test_backward_starts_at_real_numbers():
    z = dotori.tensor([1j], requires_grad=True)
    with pytest.raises(dotori.errors.GradientError, match="complex number"):
        (z * z).sum().backward()
    (z * z).sum().backward(np.complex64(1))
    assert z.grad.tolist() == [-2j]


def test_the_variance_of_complex_numbers_is_real():
    assert dotori.tensor(Z).var().item() == pytest.approx(np.var(Z, ddof=1))
    assert dotori.tensor(Z).std(0).dtype == np.float64


def test_mistakes_are_named():
    with pytest.raises(DTypeError, match="imag: complex numbers were wanted"):
        dotori.imag([1.0])
    with pytest.raises(DTypeError, match="the same float type"):
        dotori.complex(np.ones(2), np.ones(2, np.float32))
    with pytest.raises(DTypeError, match="the same float type"):
        dotori.polar([1], [2])
    with pytest.raises(ShapeError, match="length 2"):
        dotori.view_as_complex(np.ones(3))
    with pytest.raises(ShapeError, match="H is for matrices"):
        dotori.tensor(np.ones((2, 2, 2))).H  # noqa: B018
