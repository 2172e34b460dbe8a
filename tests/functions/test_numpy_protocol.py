"""NumPy's own functions on tensors, and tensors made of other libraries' data."""

import subprocess
import sys

import numpy as np
import pytest

import dotori
from dotori.errors import GradientError


def leaf(a):
    return dotori.tensor(np.asarray(a, np.float64), requires_grad=True)


@pytest.mark.parametrize(
    "function",
    [
        np.exp, np.tanh, np.negative, np.abs, np.square, np.sum, np.mean, np.max, np.prod,
        lambda x: np.sum(x, axis=1),
        lambda x: np.max(x, axis=0),
        lambda x: np.var(x, axis=1),
        lambda x: np.std(x),
        lambda x: np.reshape(x, (3, 2)),
        lambda x: np.transpose(x),
        lambda x: np.concatenate([x, x], axis=1),
        lambda x: np.stack([x, 2 * x]),
        lambda x: np.where(x.array > 0, x, 0.0),
        lambda x: np.clip(x, -0.5, 0.5),
        lambda x: np.maximum(x, 0.1),
        lambda x: np.matmul(x, np.ones((3, 2))),
        lambda x: np.add(np.ones(3), x),
        lambda x: np.ones((2, 3)) * x - np.float64(2) * x,
        lambda x: np.ones((1, 2)) @ x,
        lambda x: np.expand_dims(np.squeeze(x), 0),
        lambda x: np.flip(x, 1),
        lambda x: np.cumsum(x, axis=1),
        lambda x: np.swapaxes(x, 0, 1),
        lambda x: np.moveaxis(x, 0, 1),
        lambda x: np.tril(x) + np.triu(x),
    ],
)  # fmt: skip
def test_values_and_gradients(function):
    a = np.array([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]])
    x = leaf(a)
    y = function(x)
    assert isinstance(y, dotori.Tensor) and y.requires_grad

    if function.__name__ != "<lambda>":
        np.testing.assert_allclose(y.detach().numpy(), function(a))
    assert dotori.gradcheck(function, a)


def test_an_array_takes_the_values_of_a_detached_tensor():
    a, t = np.ones(3), dotori.tensor([1.0, 2.0, 3.0])
    a += t
    assert type(a) is np.ndarray and a.tolist() == [2.0, 3.0, 4.0]
    np.exp(t, out=a)
    np.testing.assert_allclose(a, np.exp([1.0, 2.0, 3.0]), rtol=1e-6)
    assert np.asarray(t).tolist() == [1.0, 2.0, 3.0]


def test_a_function_without_a_gradient_says_so_and_works_outside():
    x = leaf([3.0, 1.0, 2.0])
    with pytest.raises(GradientError, match=r"numpy.unique has no gradient.*detach"):
        np.unique(x)
    assert np.unique(x.detach()).tolist() == [1.0, 2.0, 3.0]
    with dotori.no_grad():
        assert np.partition(x, 0)[0].item() == 1.0
    with pytest.raises(GradientError, match=r"call .detach\(\).numpy\(\)"):
        np.asarray(x)


def test_data_of_other_libraries():
    a = np.arange(6.0).reshape(2, 3)
    shared = dotori.from_numpy(a)
    a[0, 0] = 9.0
    assert shared[0, 0].item() == 9.0
    assert np.from_dlpack(dotori.tensor(a)).tolist() == a.tolist()
    pandas = pytest.importorskip("pandas", reason="a pandas frame")
    assert dotori.tensor(pandas.DataFrame(a)).tolist() == a.tolist()
    polars = pytest.importorskip("polars", reason="a Polars frame")
    assert dotori.tensor(polars.DataFrame(a)).tolist() == a.tolist()


def test_torch_tensors_come_in():
    torch = pytest.importorskip("torch", reason="a tensor of PyTorch")
    assert dotori.as_tensor(torch.ones(2)).tolist() == [1.0, 1.0]


def test_linear_algebra_is_found_without_being_imported():
    code = (
        "import numpy as np, dotori\n"
        "x = dotori.tensor(2 * np.eye(2), requires_grad=True)\n"
        "np.vecdot(x, x).sum().backward()\n"
        "x.grad = None\n"
        "np.linalg.det(x).backward()\n"
        "print(x.grad.tolist())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[[2.0, 0.0], [0.0, 2.0]]"


def test_numpy_by_force_reads_what_requires_a_gradient():
    x = dotori.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(dotori.errors.GradientError):
        x.numpy()
    assert (2 * x).numpy(force=True).tolist() == [2.0, 4.0]
    assert np.shares_memory(x.numpy(force=True), x.array)
