"""gradcheck finds wrong gradients, names the worst element, and passes right ones."""

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError, DTypeError, GradientError


def test_right_gradients_pass_to_second_order() -> None:
    x, y = np.array([0.3, -1.2, 2.0]), np.array([[0.5], [1.5]])

    def f(a: dotori.Tensor, b: dotori.Tensor) -> dotori.Tensor:
        return a.exp() * b + a * a * a

    assert dotori.gradcheck(f, [x, y])
    assert dotori.gradgradcheck(f, [x, y])


def test_the_worst_element_is_named_with_both_values() -> None:
    def f(x: dotori.Tensor) -> dotori.Tensor:
        return x * x.detach()  # a forgotten term: the gradient is half of 2x

    with pytest.raises(
        GradientError,
        match=r"output 0 with respect to input 0 is wrong in 2 of 4 elements; worst at "
        r"output element \(1,\), input element \(1,\): backward gives 3, finite "
        r"differences 6(\.0+\d*)?, off by 3",
    ):
        dotori.gradcheck(f, np.array([1.0, 3.0]))
    assert not dotori.gradcheck(f, np.array([1.0, 3.0]), raise_exception=False)


def test_a_wrong_second_derivative_is_found() -> None:
    def f(x: dotori.Tensor) -> dotori.Tensor:
        # The value and the first gradient are those of x^2, the second one is not.
        return x * x.detach() * 2.0 + x.detach() * x.detach() * -1.0

    assert dotori.gradcheck(f, np.array([1.0, 3.0]))
    with pytest.raises(GradientError):
        dotori.gradgradcheck(f, np.array([1.0, 3.0]))


def test_only_inputs_that_require_a_gradient_are_checked() -> None:
    x = dotori.tensor(2.0, dtype=dotori.float64, requires_grad=True)
    assert dotori.gradcheck(lambda x, k: x * k, [x, np.float64(3.0)])
    assert x.grad is None


def test_several_outputs_and_empty_inputs() -> None:
    assert dotori.gradcheck(lambda x: (x * x, x.exp()), np.array([1.0, 2.0]))
    assert dotori.gradcheck(lambda x: x.exp(), np.zeros((0, 3)))


def test_mistakes_of_the_caller_are_explained() -> None:
    with pytest.raises(DTypeError, match=r"input 0 is float32.*\.double\(\)"):
        dotori.gradcheck(lambda x: x.exp(), np.ones(2, np.float32))
    with pytest.raises(ArgumentError, match="none of the inputs holds floats"):
        dotori.gradcheck(lambda x: x.exp(), np.ones(2, np.int64))
    with pytest.raises(GradientError, match="was detach"):
        dotori.gradcheck(lambda x: x.detach(), np.ones(2))
    with pytest.raises(DTypeError, match="must return tensors, got ndarray"):
        dotori.gradcheck(lambda x: x.detach().numpy(), np.ones(2))
