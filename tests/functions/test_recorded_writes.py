"""Writes in place that are recorded, through views as well, beside PyTorch's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.autograd.graph import GRAD, recording
from dotori.errors import DTypeError, GradientError, ShapeError


def test_a_row_of_a_table_is_computed_from_the_one_before():
    w = dotori.tensor(2.0, dtype=np.float64, requires_grad=True)
    table = dotori.zeros(4, dtype=np.float64)
    table[0] = 1.0
    last = table[0].clone()
    for i in range(1, 4):
        last = last * w
        table[i] = last
    assert table.tolist() == [1.0, 2.0, 4.0, 8.0]
    table.sum().backward()
    assert w.grad.item() == 1 + 2 * 2 + 3 * 4


def test_a_view_taken_before_the_write_has_its_gradient():
    x = dotori.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    tail = y[1:]
    y.mul_(10)
    tail.sum().backward()
    assert x.grad.tolist() == [0.0, 10.0, 10.0]


def test_a_write_through_a_view_reaches_the_tensor():
    x = dotori.tensor([1.0, 2.0], requires_grad=True)
    y = dotori.zeros(3)
    y[1:].copy_(x * 3)
    assert y.requires_grad and y.tolist() == [0.0, 3.0, 6.0]
    (y * dotori.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [6.0, 9.0]


def test_what_backward_needs_is_named_with_what_changed_it():
    x = dotori.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y.exp()
    z.add_(1)
    with pytest.raises(
        GradientError, match=r"Exp needs .* add_ has changed it in place"
    ):
        z.sum().backward()


def test_memory_that_several_elements_share_is_not_written_to():
    wide = dotori.zeros(1).expand(3)
    for write in (lambda: wide.add_(1), lambda: wide.__setitem__(0, 1.0), wide.sin_):
        with pytest.raises(ShapeError, match=r"clone\(\) it first"):
            write()


def test_nothing_is_kept_of_tensors_that_are_gone():
    def program():
        x = dotori.ones(3, requires_grad=True)
        y = x * 2
        y[0] = x[1]
        y[1:].sin_()
        assert recording.state.flags != GRAD
        y.sum().backward()

    program()
    assert recording.state.flags == GRAD


def test_views_of_a_tensor_that_was_reshaped_in_place():
    x = dotori.tensor([1.0, 2.0, 3.0], requires_grad=True)
    table = dotori.zeros(2, 3)
    first = table[0]
    table.t_()
    first.copy_(x)
    assert table.tolist() == [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    (table * dotori.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).sum().backward()
    assert x.grad.tolist() == [1.0, 3.0, 5.0]


def test_an_expanded_tensor_may_be_written_to_where_nothing_was_stretched():
    x = dotori.zeros(2)
    x.expand(1, 2).add_(1)
    x.expand_as(x)[0] = 5.0
    assert x.tolist() == [5.0, 1.0]


VIEWS = {
    "row": lambda T, t: t[0],
    "tail": lambda T, t: t[..., 1:],
    "turned": lambda T, t: t.transpose(0, -1),
    "flat": lambda T, t: t.reshape(-1),
    "column": lambda T, t: t.unsqueeze(-1),
    "part": lambda T, t: t.chunk(2)[0],
    "all of it": lambda T, t: t.expand_as(t),
    "backwards": lambda T, t: t.flip(0),
    "picked": lambda T, t: t[..., [0, 0]],
    "ravel": lambda T, t: t[..., 0].ravel(),
    "diagonal": lambda T, t: t.reshape(t.shape[0], -1).diagonal(),
    "windows": lambda T, t: t.unfold(0, 1, 1),
    "narrow": lambda T, t: t.narrow(-1, 0, 1),
    "squeeze": lambda T, t: t.squeeze(),
    "mT": lambda T, t: t.mT if t.ndim > 1 else t.real,
}
WRITES = {
    "add_": lambda T, t, x: t.add_(x.sum()),
    "mul_": lambda T, t, x: t.mul_(x[0]),
    "sin_": lambda T, t, x: t.sin_(),
    "exp_": lambda T, t, x: t.exp_(),
    "+=": lambda T, t, x: t.__iadd__(1.5),
    "clamp_": lambda T, t, x: t.clamp_(min=0.25),
    "zero_": lambda T, t, x: t.zero_(),
    "copy_": lambda T, t, x: t.copy_(x[1] * 2),
    "first": lambda T, t, x: t.__setitem__(0, x[2] * x[0]),
    "mask": lambda T, t, x: t.__setitem__(t == t, x[1]),
    "places": lambda T, t, x: t.__setitem__(T.tensor([0, 0]), x[2]),
    "relu_": lambda T, t, x: t.relu_(),
    "masked_fill_": lambda T, t, x: t.masked_fill_(t > 0.1, x[1]),
    "mask *=": lambda T, t, x: t.__setitem__(t > 0.1, t[t > 0.1] * 2),
    "index_add_": lambda T, t, x: t.index_add_(0, T.tensor([0]), t[:1] * x[1]),
    "index_put_": lambda T, t, x: t.index_put_((T.tensor([0, 0]),), x[3], True),
    "addcmul_": lambda T, t, x: t.addcmul_(x[0], x[1], value=0.5),
    "fill_diagonal_": lambda T, t, x: t.reshape(t.shape[0], -1).fill_diagonal_(0.7),
    "unsqueeze_": lambda T, t, x: t.unsqueeze_(0),
    "squeeze_": lambda T, t, x: t.squeeze_(),
    "transpose_": lambda T, t, x: t.transpose_(0, -1),
    "tanh": lambda T, t, x: t.tanh(),  # no write: its use of t goes into the sum
}


def run_program(T, start, root_kind, steps):
    """The steps on the views of one tensor: its values, and the gradient of `x`."""
    x = T.tensor(start, requires_grad=True)
    if root_kind == "computed":
        root = x[:3].reshape(3, 1) * x[3:].reshape(1, 2)
    else:
        root = T.zeros((3, 2), dtype=T.float64)
    tensors, used = [root], []
    for view, source, write, target in steps:
        parent = tensors[source % len(tensors)]
        if parent.ndim and parent.shape[0] and parent.shape[-1]:
            tensors.append(VIEWS[view](T, parent))
        t = tensors[target % len(tensors)]
        if t.ndim and t.shape[0]:
            made = WRITES[write](T, t, x)
            if write == "tanh":
                used.append(made)
    total = sum((t * t).sum() * (i + 1) for i, t in enumerate(tensors + used))
    if not total.requires_grad:
        return [t.tolist() for t in tensors], None
    total.backward()
    return [t.tolist() for t in tensors], x.grad.tolist()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(VIEWS)),
        st.integers(0, 9),
        st.sampled_from(sorted(WRITES)),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=5,
)


@given(STEPS, st.sampled_from(["computed", "zeros"]))
def test_programs_of_views_and_writes(steps, root_kind):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    start = np.array([0.3, -0.8, 1.1, 0.7, -0.4])
    try:
        values, gradient = run_program(torch, start, root_kind, steps)
    except RuntimeError:
        return  # stale values, or a view of several outputs, which PyTorch refuses
    ours, our_gradient = run_program(dotori, start, root_kind, steps)
    for a, b in zip(ours, values, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    if gradient is None:
        assert our_gradient is None
    else:
        np.testing.assert_allclose(our_gradient, gradient, rtol=1e-9, atol=1e-12)


def test_parts_of_complex_numbers_follow_their_tensor_and_are_not_written_to():
    a = dotori.tensor([1.0, 2.0], dtype=np.float64, requires_grad=True)
    z = dotori.complex(a * 1, a * 2)
    real, imag = z.real, z.imag
    with pytest.raises(GradientError, match="float64 numbers that are a view of"):
        real.mul_(3)
    with pytest.raises(GradientError, match="float64 numbers that are a view of"):
        imag[0] = a[1]
    z.mul_(2)
    (real + imag).sum().backward()
    assert real.tolist() == [2.0, 4.0] and a.grad.tolist() == [6.0, 6.0]
    with dotori.no_grad():
        real.mul_(3)
    assert z.real.tolist() == [6.0, 12.0]


def test_a_number_that_the_type_does_not_hold_is_named():
    with pytest.raises(DTypeError, match="uint8"):
        dotori.tensor([1, 2], dtype=np.uint8).fill_(-1)
