"""The walk back, with numbers worked out by hand; and what the graph must never do."""

import gc
import threading
import weakref

import numpy as np
import pytest

import dotori
from dotori import autograd
from dotori.autograd import note_change, observe, unbroadcast
from dotori.errors import GradientError, ShapeError


def leaf(value: object) -> dotori.Tensor:
    return dotori.tensor(value, dtype=dotori.float64, requires_grad=True)


def test_a_value_used_twice_gets_both_gradients() -> None:
    x = leaf(3.0)
    y = x * x + x  # dy/dx = 2x + 1
    y.backward()
    assert x.grad is not None and x.grad.item() == 7.0


def test_gradients_add_up_over_walks() -> None:
    x = leaf([1.0, 2.0])
    for _ in range(2):
        (x * x).backward(np.ones(2))
    assert x.grad is not None and x.grad.tolist() == [4.0, 8.0]


def test_a_diamond_is_walked_once() -> None:
    # z = y * y with y = x * x, so dz/dx = 4 x^3
    x = leaf(2.0)
    y = x * x
    (y * y).backward()
    assert x.grad is not None and x.grad.item() == 32.0


def test_third_derivative() -> None:
    x = leaf(2.0)
    g: dotori.Tensor = x * x * x * x
    for expected in (32.0, 48.0, 48.0):
        (g,) = autograd.grad(g, x, create_graph=True)
        assert g.item() == expected


def test_two_leaves_never_share_the_memory_of_their_gradients() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    seed = np.ones(2)
    (a + b).backward(seed)
    assert a.grad is not None and b.grad is not None
    assert not np.shares_memory(a.grad.array, b.grad.array)
    assert not np.shares_memory(a.grad.array, seed)


def test_a_leaf_can_be_its_own_root() -> None:
    x, seed = leaf([1.0, 2.0]), np.ones(2)
    x.backward(seed)
    assert x.grad is not None and x.grad.tolist() == [1.0, 1.0]
    assert not np.shares_memory(x.grad.array, seed)


def test_broadcasting_is_undone() -> None:
    a, b = leaf(np.ones((2, 1, 3))), leaf(np.ones((4, 1)))
    (a * b).backward(np.ones((2, 4, 3)))
    assert a.grad is not None and (a.grad.array == 4.0).all()
    assert b.grad is not None and (b.grad.array == 6.0).all()
    assert unbroadcast(np.ones((5, 2)), ()).shape == ()


def test_the_gradient_has_the_type_of_its_tensor() -> None:
    x = dotori.tensor([1.0], requires_grad=True)
    (x * dotori.tensor([2.0], dtype=dotori.float64)).backward(np.ones(1))
    assert x.grad is not None and x.grad.dtype == np.float32


def test_a_chain_of_100_000_operations_needs_no_recursion() -> None:
    x = leaf(0.0)
    y: dotori.Tensor = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad is not None and x.grad.item() == 1.0
    del y  # freeing the chain must not recurse either


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        y = (x * x).exp()
        node = weakref.ref(y.node)
        y.backward(np.ones(2))
        assert node() is not None
        del y
        assert node() is None
    finally:
        gc.enable()


def test_walking_twice_needs_retain_graph() -> None:
    x = leaf(1.0)
    y = x.exp() * x
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(GradientError, match=r"freed .* retain_graph=True"):
        y.backward()


def test_a_value_changed_in_place_is_refused_with_both_names() -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    with dotori.no_grad():
        y.array[0] = 0.0
        note_change(y.array, "zero_")
    with pytest.raises(GradientError, match=r"Exp needs .* zero_ has changed it"):
        y.backward(np.ones(2))


def test_a_change_of_other_memory_is_no_reason_to_refuse() -> None:
    x, other = leaf([1.0, 2.0]), np.zeros(3)
    y = x.exp()
    note_change(other, "zero_")
    y.backward(np.ones(2))
    assert x.grad is not None


def test_backward_of_several_numbers_asks_for_their_weights() -> None:
    with pytest.raises(GradientError, match=r"shape \(2,\); reduce it first"):
        leaf([1.0, 2.0]).exp().backward()


def test_backward_without_a_graph_says_why() -> None:
    with pytest.raises(GradientError, match=r"nothing that it was computed from"):
        dotori.tensor(1.0).exp().backward()


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        leaf([1.0, 2.0]).exp().backward(np.ones(3))


def test_grad_leaves_the_leaves_alone_and_names_unused_inputs() -> None:
    x, z = leaf(2.0), leaf([1.0])
    (g,) = autograd.grad(x * x, x)
    assert g.item() == 4.0 and x.grad is None
    with pytest.raises(GradientError, match=r"input 1 of shape \(1,\)"):
        autograd.grad(x * x, [x, z])
    assert autograd.grad(x * x, [x, z], allow_unused=True)[1] is None


def test_grad_with_respect_to_a_result() -> None:
    x = leaf(2.0)
    y = x * x
    (g,) = autograd.grad(y * y, y)
    assert g.item() == 8.0


def test_hooks_see_and_change_gradients_and_go_again() -> None:
    x = leaf(3.0)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.item()))
    y = x * x
    y.register_hook(lambda g: g * 10.0)
    y.backward(retain_graph=True)
    handle.remove()
    y.backward()
    assert seen == [60.0] and x.grad is not None and x.grad.item() == 120.0


def test_retain_grad_keeps_the_gradient_of_a_result() -> None:
    x = leaf(3.0)
    y = x * x
    y.retain_grad()
    (y * y).backward()
    assert y.grad is not None and y.grad.item() == 18.0


def test_modes_nest_and_end_with_their_block() -> None:
    x = leaf(1.0)
    with dotori.no_grad():
        assert not x.exp().requires_grad
        with dotori.enable_grad():
            assert x.exp().requires_grad
        assert not dotori.is_grad_enabled()
    assert dotori.is_grad_enabled()
    with dotori.set_grad_enabled(False):
        assert not dotori.is_grad_enabled()
    assert dotori.is_grad_enabled()

    @dotori.no_grad()
    def twice(t: dotori.Tensor) -> dotori.Tensor:
        return t * 2.0

    assert not twice(x).requires_grad
    with pytest.raises(ZeroDivisionError), dotori.no_grad():
        raise ZeroDivisionError
    assert dotori.is_grad_enabled()


def test_modes_are_each_threads_own() -> None:
    found = []
    with dotori.no_grad():
        thread = threading.Thread(target=lambda: found.append(dotori.is_grad_enabled()))
        thread.start()
        thread.join()
    assert found == [True]


def test_observe_sees_every_operation_and_then_none() -> None:
    x, names = leaf(1.0), []
    with observe(lambda op, inputs, outputs, attrs: names.append(op.__name__)):
        y = (x.exp() * x + 1.0).detach()
    _ = y * 2.0
    assert names == ["Exp", "Mul", "Add"]


def test_an_exception_in_backward_leaves_the_mode_as_it_was() -> None:
    x = leaf([1.0, 2.0])
    y = x * x

    def fail(g: dotori.Tensor) -> None:
        raise ZeroDivisionError

    y.register_hook(fail)
    with pytest.raises(ZeroDivisionError):
        y.backward(np.ones(2))
    assert dotori.is_grad_enabled()


def test_an_operation_of_one_input_may_save_both() -> None:
    from dotori.ops._op import Op, registry

    class XTimesExp(Op):
        """y = x e^x; dy/dx = e^x + y."""

        saves = ("x", "y")

        @staticmethod
        def forward(xp, x):  # type: ignore[no-untyped-def]
            return x * xp.exp(x)

        @staticmethod
        def backward(xp, dy, x, y):  # type: ignore[no-untyped-def]
            return dy * (xp.exp(x) + y)

    try:
        assert dotori.gradcheck(
            lambda x: autograd.unary(XTimesExp, x), np.array([0.5, -1.0])
        )
        assert dotori.gradgradcheck(
            lambda x: autograd.unary(XTimesExp, x), np.array([0.5, -1.0])
        )
    finally:
        del registry["XTimesExp"]
