"""The exact numbers that the library promises for arrays and a neuron's mathematics."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dotori
from dotori import nn
from dotori.data import image_to_vector, minmax, normalize_rows, standardize
from dotori.train import metrics


def test_arrays_from_lists_and_numpy() -> None:
    t = dotori.tensor([[1, 2], [3, 4]])
    assert t.shape == (2, 2) and t.dtype == np.int64 and t.tolist() == [[1, 2], [3, 4]]
    a = np.arange(6.0).reshape(2, 3)
    assert np.shares_memory(dotori.as_tensor(a).array, a)
    assert not np.shares_memory(dotori.tensor(a).array, a)


def test_views_are_not_copies() -> None:
    t = dotori.tensor(np.arange(6.0))
    for view in (t[1:4], t.reshape(2, 3), t.reshape(2, 3).T):
        assert np.shares_memory(view.array, t.array)


def test_sigmoid() -> None:
    assert dotori.sigmoid(np.array(1.0)).item() == pytest.approx(
        0.7310585786300049, abs=1e-16
    )
    assert_allclose(
        dotori.sigmoid(np.array([1.0, 2.0, 3.0])).numpy(),
        [0.73105858, 0.88079708, 0.95257413],
        atol=5e-9,
    )
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert dotori.sigmoid(np.array([-1000.0, 1000.0])).tolist() == [0.0, 1.0]
        assert dotori.sigmoid([-1000.0, 1000.0]).tolist() == [0.0, 1.0]


def test_derivative_of_the_sigmoid() -> None:
    x = dotori.tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    dotori.sigmoid(x).sum().backward()
    assert x.grad is not None
    assert_allclose(x.grad.numpy(), [0.19661193, 0.10499359, 0.04517666], atol=5e-9)


def test_image_to_vector_in_c_order() -> None:
    image = np.arange(24).reshape(2, 3, 4)
    vector = image_to_vector(image)
    assert vector.shape == (24, 1)
    assert vector.ravel().tolist() == list(range(24))


def test_rows_of_unit_norm() -> None:
    rows = np.array([[0.0, 3.0, 4.0], [1.0, 6.0, 4.0], [0.0, 0.0, 0.0]])
    expected = [[0, 0.6, 0.8], [0.13736056, 0.82416338, 0.54944226], [0, 0, 0]]
    assert_allclose(normalize_rows(rows), expected, atol=5e-9)
    assert_allclose(nn.functional.normalize(rows).numpy(), expected, atol=5e-9)


def test_softmax() -> None:
    x = np.array([[9.0, 2, 5, 0, 0], [7.0, 5, 0, 0, 0]])
    expected = [
        [
            9.80897665e-01,
            8.94462891e-04,
            1.79657674e-02,
            1.21052389e-04,
            1.21052389e-04,
        ],
        [
            8.78679856e-01,
            1.18916387e-01,
            8.01252314e-04,
            8.01252314e-04,
            8.01252314e-04,
        ],
    ]
    assert_allclose(dotori.softmax(x, dim=1).numpy(), expected, rtol=5e-9)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert dotori.softmax([1000.0, 0.0], dim=0).tolist() == [1.0, 0.0]


def test_distances() -> None:
    guess, truth = [0.9, 0.2, 0.1, 0.4, 0.9], [1.0, 0.0, 0.0, 1.0, 1.0]
    a, b = np.array(guess), np.array(truth)
    assert np.sum(np.abs(dotori.tensor(a) - b)).item() == pytest.approx(1.1, abs=1e-12)
    square = np.sum((dotori.tensor(a) - b) ** 2)
    assert square.item() == pytest.approx(0.43, abs=1e-12)


def test_numpys_own_functions_give_gradients() -> None:
    x = dotori.tensor(np.array([0.5, 1.5]), requires_grad=True)
    np.sum(np.exp(x)).backward()
    assert x.grad is not None
    assert_allclose(x.grad.numpy(), np.exp([0.5, 1.5]))
    chosen = np.where(np.array([True, False]), x, 0.0)
    assert isinstance(chosen, dotori.Tensor) and chosen.requires_grad


def test_metrics_by_hand() -> None:
    true, guess = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]
    assert metrics.mse(true, guess) == pytest.approx(0.375)
    assert metrics.rmse(true, guess) == pytest.approx(0.375**0.5)
    assert metrics.mae(true, guess) == pytest.approx(0.5)
    assert metrics.r2(true, guess) == pytest.approx(1 - 1.5 / 29.1875)
    labels, said = [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]
    assert metrics.accuracy(labels, said) == pytest.approx(0.6)
    assert metrics.precision(labels, said) == pytest.approx(2 / 3)
    assert metrics.recall(labels, said) == pytest.approx(2 / 3)
    assert metrics.f1(labels, said) == pytest.approx(2 / 3)
    assert metrics.confusion_matrix(labels, said).tolist() == [[1, 1], [1, 2]]
    assert metrics.roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == pytest.approx(0.75)
    assert metrics.log_loss([1, 0], [0.8, 0.4]) == pytest.approx(
        -(np.log(0.8) + np.log(0.6)) / 2
    )


def test_scaling_by_hand_and_a_constant_column() -> None:
    x = np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]])
    assert_allclose(minmax(x), [[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]])
    deviation = np.sqrt(2 / 3)
    assert_allclose(
        standardize(x), [[-1 / deviation, 0.0], [0.0, 0.0], [1 / deviation, 0.0]]
    )
