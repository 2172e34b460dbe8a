"""Modes of the graph: no recording, looking for NaN, and hooks after a backward."""

import gc
import weakref

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.autograd import detect_anomaly, set_detect_anomaly
from dotori.errors import GradientError


@pytest.mark.parametrize("mode", [dotori.no_grad, dotori.inference_mode])
def test_modes_decorate_with_and_without_brackets(mode):
    w = dotori.ones(2, requires_grad=True)

    @mode
    def plain(x):
        return x * w

    @mode()
    def called(x):
        return x * w

    assert not plain(2).requires_grad and not called(2).requires_grad
    assert plain.__name__ == "plain" and dotori.is_grad_enabled()
    with mode():
        assert not (w * 2).requires_grad
    assert (w * 2).requires_grad


def test_inference_mode_can_be_switched_off():
    w = dotori.ones(2, requires_grad=True)
    with dotori.inference_mode(False):
        assert (w * 2).requires_grad

    @dotori.inference_mode(mode=False)
    def f():
        return w * 2

    with dotori.no_grad():
        assert f().requires_grad
    with dotori.inference_mode():
        y = w * 3
    (y * w).sum().backward()  # a constant afterwards
    assert w.grad.tolist() == [3.0, 3.0]


def nan_in_backward():
    x = dotori.tensor([0.0, 4.0], requires_grad=True)
    return x, (x.sqrt() * x[0]).sum()


def test_anomaly_names_the_operation():
    x, y = nan_in_backward()
    with (
        detect_anomaly(),
        pytest.raises(GradientError, match=r"Sqrt made NaN of 1 of 2"),
    ):
        y.backward()
    x, y = nan_in_backward()
    y.backward()  # outside of the block nobody looks
    assert np.isnan(x.grad.numpy()).tolist() == [True, False]


def test_anomaly_also_where_the_gradients_are_recorded():
    x, y = nan_in_backward()
    with detect_anomaly(), pytest.raises(GradientError, match="Sqrt made NaN"):
        dotori.autograd.grad(y, x, create_graph=True)


def test_anomaly_leaves_right_gradients_as_they_are():
    def gradients():
        x = dotori.tensor(np.array([[3.0, 1.0], [2.0, 5.0]]), requires_grad=True)
        values, _ = x.max(dim=1)
        (values.prod() * (x @ x).sum() + x.svd()[1].sum()).backward()
        return x.grad.tolist()

    before = gradients()
    with detect_anomaly():
        assert gradients() == before


def test_anomaly_can_be_set_for_good_and_nested():
    def looks():
        _, y = nan_in_backward()
        try:
            y.backward()
        except GradientError:
            return True
        return False

    set_detect_anomaly(True)
    try:
        assert looks()
        with set_detect_anomaly(False):
            assert not looks()
        assert looks()
        with detect_anomaly(check_nan=False):
            assert not looks()
    finally:
        set_detect_anomaly(False)
    assert not looks()


def test_a_hook_after_the_gradient_has_been_added_up():
    p = dotori.tensor([1.0, 2.0], requires_grad=True)
    seen = []
    handle = p.register_post_accumulate_grad_hook(
        lambda t: seen.append((t is p, t.grad.tolist()))
    )
    (p * p + p).sum().backward()
    (p * 1).sum().backward()
    assert seen == [(True, [3.0, 5.0]), (True, [4.0, 6.0])]
    dotori.autograd.grad((p * p).sum(), p)  # adds nothing to any grad
    handle.remove()
    p.sum().backward()
    assert len(seen) == 2


def test_a_step_of_an_optimiser_may_be_such_a_hook():
    def train(hooked):
        dotori.manual_seed(0)
        model = nn.Linear(3, 2)
        x = dotori.tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3))
        optimizers = {
            p: optim.SGD([p], lr=0.1, momentum=0.9) for p in model.parameters()
        }

        def step(p):
            optimizers[p].step()
            optimizers[p].zero_grad()

        for p in model.parameters():
            if hooked:
                p.register_post_accumulate_grad_hook(step)
        for _ in range(3):
            model(x).square().mean().backward()
            if not hooked:
                for p in model.parameters():
                    step(p)
        return [p.tolist() for p in model.parameters()]

    assert train(True) == train(False)


def test_such_a_hook_is_for_leaves_and_keeps_nothing_alive():
    p = dotori.ones(2, requires_grad=True)
    for wrong in (p * 2, dotori.ones(2)):
        with pytest.raises(GradientError, match="leaf"):
            wrong.register_post_accumulate_grad_hook(print)
    gc.disable()
    try:
        p.register_post_accumulate_grad_hook(lambda t: None)
        gone = weakref.ref(p)
        del p
        assert gone() is None
    finally:
        gc.enable()


def test_gradcheck_is_found_where_pytorch_has_it():
    assert dotori.autograd.gradcheck is dotori.gradcheck
    assert dotori.autograd.gradgradcheck is dotori.gradgradcheck
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        dotori.autograd.nothing_of_this_name  # noqa: B018
