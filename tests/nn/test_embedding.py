"""Tables looked up by number, bags of rows, and positional encodings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
import dotori.nn.functional as F
from dotori import nn
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError

ROWS, DIM = 6, 3


def table(rng, rows=ROWS, dim=DIM):
    return rng.standard_normal((rows, dim))


# ------------------------------------------------------------------ by hand


def test_rows_and_their_gradients_by_hand():
    weight = dotori.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    y = F.embedding([[2, 0], [2, 2]], weight)
    assert y.tolist() == [[[5.0, 6.0], [1.0, 2.0]], [[5.0, 6.0], [5.0, 6.0]]]
    y.backward(dotori.tensor(np.arange(8.0, dtype=np.float32).reshape(2, 2, 2)))
    # row 2 was taken with the gradients (0, 1), (4, 5) and (6, 7)
    assert weight.grad.tolist() == [[2.0, 3.0], [0.0, 0.0], [10.0, 13.0]]


def test_padding_gets_no_gradient_and_frequency_divides():
    weight = dotori.tensor(np.ones((4, 1), np.float32), requires_grad=True)
    F.embedding([1, 1, 3, 0], weight, -1, scale_grad_by_freq=True).sum().backward()
    assert weight.grad.tolist() == [[1.0], [1.0], [0.0], [0.0]]


def test_max_norm_shortens_the_rows_that_are_taken_in_place():
    weight = nn.Parameter([[3.0, 4.0], [6.0, 8.0], [0.3, 0.4]])
    y = F.embedding([0, 2], weight, max_norm=1.0)
    np.testing.assert_allclose(weight.array, [[0.6, 0.8], [6, 8], [0.3, 0.4]], 1e-6)
    np.testing.assert_allclose(y.array, [[0.6, 0.8], [0.3, 0.4]], 1e-6)


def test_max_norm_changes_what_a_graph_may_still_need():
    weight = nn.Parameter([[3.0, 4.0]])
    y = weight * weight
    F.embedding([0], weight, max_norm=1.0)
    with pytest.raises(RuntimeError, match="embedding with max_norm has changed it"):
        y.sum().backward()


def test_an_empty_bag_is_zero_and_means_count_what_is_there():
    weight = dotori.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]], requires_grad=True)
    ends = [0, 2, 2]
    assert F.embedding_bag([0, 1, 2], weight, ends).tolist() == [
        [2.0, 3.0],
        [0.0, 0.0],
        [5.0, 0.0],
    ]
    y = F.embedding_bag([0, 1, 2], weight, ends, mode="max")
    assert y.tolist() == [[3.0, 4.0], [0.0, 0.0], [5.0, 0.0]]
    y.sum().backward()
    assert weight.grad.tolist() == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("mode", "wanted"), [("sum", [4.0, 0.0]), ("mean", [2.0, 0.0]), ("max", [3.0, 0.0])]
)
def test_padding_does_not_count_in_a_bag(mode, wanted):
    weight = dotori.tensor([[1.0], [3.0], [9.0]], requires_grad=True)
    y = F.embedding_bag([[0, 1, 2], [2, 2, 2]], weight, mode=mode, padding_idx=2)
    assert y.reshape(-1).tolist() == wanted
    y.sum().backward()
    assert weight.grad.array[2] == 0


def test_frequency_divides_in_bags_as_well():
    """Row i is taken counts[i] times; PyTorch's bags divide by the counts of others."""
    weight = dotori.tensor(np.ones((4, 1), np.float32), requires_grad=True)
    bags = [[0, 0, 1], [1, 1, 2]]
    y = F.embedding_bag(bags, weight, mode="sum", scale_grad_by_freq=True)
    y.backward(dotori.tensor([[1.0], [10.0]]))
    assert weight.grad.tolist() == [[1.0], [7.0], [10.0], [0.0]]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_no_bags_and_bags_of_nothing(mode):
    weight = dotori.ones(3, 2)
    none = np.zeros(0, np.int64)
    assert F.embedding_bag(none, weight, none, mode=mode).shape == (0, 2)
    assert F.embedding_bag(none, weight, [0, 0], mode=mode).tolist() == [[0.0] * 2] * 2
    assert F.embedding(none, weight).shape == (0, 2)


def test_bits_do_not_depend_on_the_kernel(rng):
    pytest.importorskip("numba", reason="compiles the kernel")
    index = rng.integers(0, 20, 500)
    dy = rng.standard_normal((500, 7)).astype(np.float32)
    found = []
    for mode in ("numpy", "numba"):
        weight = dotori.zeros(20, 7, requires_grad=True)
        dotori_mode(mode, lambda w=weight: F.embedding(index, w).backward(dy))
        found.append(weight.grad.array)
    np.testing.assert_array_equal(*found)


def dotori_mode(mode, call):
    from dotori import kernels

    kernels.use(mode)
    try:
        call()
    finally:
        kernels.use("auto")


# ------------------------------------------------------------------ as PyTorch


@given(
    st.data(),
    st.sampled_from([None, 0, 2, -1]),
    st.booleans(),
    st.sampled_from([None, 0.7, 2.0]),
    st.sampled_from([1.0, 2.0, 3.5]),
)
def test_embedding_as_in_torch(data, padding, by_freq, max_norm, p):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.sampled_from([(), (0,), (1,), (7,), (2, 3), (2, 0, 3)]))
    index = rng.integers(0, ROWS, shape)
    options = (padding, max_norm, p, by_freq)

    if max_norm is not None:
        a, b = table(rng), oracle.torch.tensor(index)
        w = dotori.tensor(a.copy())
        t = oracle.torch.tensor(a.copy())
        oracle.same(
            F.embedding(index, w, *options),
            oracle.torch.nn.functional.embedding(b, t, *options),
        )
        oracle.same(w, t, what="the shortened table")
        return
    oracle.agree(
        lambda w: F.embedding(index, w, *options),
        lambda w: oracle.torch.nn.functional.embedding(
            oracle.torch.tensor(index), w, *options
        ),
        table(rng),
        second=not by_freq,  # PyTorch's second gradient leaves the counts out
    )


@given(
    st.data(),
    st.sampled_from(["sum", "mean", "max"]),
    st.sampled_from([None, 1, -2]),
    st.booleans(),
    st.booleans(),
)
def test_embedding_bag_as_in_torch(data, mode, padding, weighted, last):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    weighted = weighted and mode == "sum"
    if data.draw(st.booleans()):
        index, offsets, last = rng.integers(0, ROWS, (3, 4)), None, False
    else:
        n = data.draw(st.integers(0, 9))
        index = rng.integers(0, ROWS, n)
        inner = np.sort(rng.integers(0, n + 1, 3))
        offsets = np.array([0, *inner, *([n] if last else [])])
    arrays = [table(rng)]
    if weighted:
        arrays.append(rng.standard_normal(index.shape))
    options = {
        "mode": mode,
        "include_last_offset": last,
        "padding_idx": padding,
    }
    t_index = oracle.torch.tensor(index)
    t_offsets = None if offsets is None else oracle.torch.tensor(offsets)

    def ours(w, factors=None):
        return F.embedding_bag(index, w, offsets, per_sample_weights=factors, **options)

    def theirs(w, factors=None):
        return oracle.torch.nn.functional.embedding_bag(
            t_index, w, t_offsets, per_sample_weights=factors, **options
        )

    oracle.agree(ours, theirs, *arrays, second=False)


@given(st.sampled_from(["sum", "mean"]), st.integers(0, 2**32))
def test_bags_are_sums_of_rows_to_second_order(mode, seed):
    """PyTorch has no second gradient for bags; that of the sums themselves."""
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    rng = np.random.default_rng(seed)
    index = rng.integers(0, ROWS, (3, 4))

    def theirs(w, factors):
        rows = w[oracle.torch.tensor(index)] * factors[..., None]
        return rows.sum(1) if mode == "sum" else rows.mean(1)

    def ours(w, factors):
        y = F.embedding_bag(index, w, mode="sum", per_sample_weights=factors)
        return y if mode == "sum" else y / 4

    oracle.agree(ours, theirs, table(rng), rng.standard_normal((3, 4)))


def test_initial_rows_are_normal_and_that_of_the_padding_is_zero():
    dotori.manual_seed(0)
    for made in (
        nn.Embedding(500, 40, padding_idx=-1),
        nn.EmbeddingBag(500, 40, padding_idx=499),
    ):
        values = made.weight.array
        assert not values[-1].any()
        assert abs(values[:-1].mean()) < 0.02
        assert abs(values[:-1].std() - 1) < 0.02
        assert made.padding_idx == 499


def test_a_table_of_ones_own_is_frozen_unless_asked():
    given_table = np.array([[1.0, 2.0], [3.0, 4.0]])
    for kind in (nn.Embedding, nn.EmbeddingBag):
        made = kind.from_pretrained(given_table)
        assert not made.weight.requires_grad and made.weight.dtype == np.float64
        assert kind.from_pretrained(given_table, freeze=False).weight.requires_grad


def test_repr_is_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for name, args, keywords in [
        ("Embedding", (4, 2), {}),
        ("Embedding", (4, 2, 1, 2.5, 1.0, True, True), {}),
        ("EmbeddingBag", (4, 2), {"mode": "max", "padding_idx": -1}),
        ("EmbeddingBag", (4, 2, 1.5, 3.0, True), {}),
    ]:
        ours = getattr(nn, name)(*args, **keywords)
        assert repr(ours) == repr(getattr(torch.nn, name)(*args, **keywords))


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("index", "kind", "said"),
    [
        ([0, 7], AxisError, "the rows 0 to 5, the input asks for 7"),
        ([-1], AxisError, "the input asks for -1"),
        ([0.0], DTypeError, "the input must be integers, got float32"),
        ([True], DTypeError, "the input must be integers, got bool"),
    ],
)
def test_a_number_that_is_no_row(index, kind, said):
    with pytest.raises(kind, match=said):
        F.embedding(index, dotori.ones(6, 2))
    with pytest.raises(kind, match=said):
        F.embedding_bag(index, dotori.ones(6, 2), [0])


BAGS = [
    ({"offsets": [1]}, ArgumentError, "offsets must rise from 0"),
    ({"offsets": [0, 4]}, ArgumentError, r"the length of the input, 3, got \[0, 4\]"),
    ({"offsets": [0, 2, 1]}, ArgumentError, "offsets must rise from 0"),
    ({}, ShapeError, r"got shape \(3,\) without offsets"),
    ({"offsets": [0], "mode": "min"}, ArgumentError, "got 'min'"),
    (
        {"offsets": [0], "per_sample_weights": [1.0]},
        ShapeError,
        r"has shape \(1,\), but must have that of the input, \(3,\)",
    ),
    (
        {"offsets": [0], "per_sample_weights": [1.0] * 3},
        ArgumentError,
        "per_sample_weights are for mode 'sum', got mode 'mean'",
    ),
    (
        {"offsets": [0], "mode": "max", "scale_grad_by_freq": True},
        ArgumentError,
        "mode 'max' has no scale_grad_by_freq",
    ),
    ({"offsets": [0], "padding_idx": 6}, ArgumentError, "padding_idx=6 is no row"),
    ({"offsets": [0], "max_norm": -1.0}, ArgumentError, "max_norm >= 0"),
]


@pytest.mark.parametrize(("options", "kind", "said"), BAGS)
def test_bags_that_cannot_be(options, kind, said):
    with pytest.raises(kind, match=said):
        F.embedding_bag([0, 1, 2], dotori.ones(6, 2), **options)


def test_other_mistakes_have_clear_messages():
    with pytest.raises(ArgumentError, match="offsets are for an input with one axis"):
        F.embedding_bag([[0]], dotori.ones(6, 2), [0])
    with pytest.raises(ShapeError, match=r"must have the shape .* got \(6,\)"):
        F.embedding([0], dotori.ones(6))
    with pytest.raises(ArgumentError, match="sizes must be ints of 0 or more, got -1"):
        nn.Embedding(-1, 2)
    with pytest.raises(ShapeError, match=r"shape \(2, 3\) is wanted, got \(3, 2\)"):
        nn.Embedding(2, 3, _weight=dotori.ones(3, 2))
    with pytest.raises(ShapeError, match="from_pretrained"):
        nn.EmbeddingBag.from_pretrained([1.0])


# ------------------------------------------------------------------ positions


def test_waves_are_those_of_the_paper():
    y = nn.SinusoidalPositionalEncoding(6, max_len=50)(dotori.zeros(1, 50, 6))
    for p in (0, 1, 49):
        for i in range(3):
            angle = p / 10000 ** (2 * i / 6)
            found = y.array[0, p, 2 * i : 2 * i + 2]
            np.testing.assert_allclose(found, [np.sin(angle), np.cos(angle)], atol=1e-6)


def test_the_sequence_may_run_along_the_first_axis(rng):
    x = rng.standard_normal((5, 2, 4)).astype(np.float32)
    first = nn.SinusoidalPositionalEncoding(4, batch_first=False)
    second = nn.SinusoidalPositionalEncoding(4)
    np.testing.assert_array_equal(
        first(x).array, second(x.swapaxes(0, 1)).array.swapaxes(0, 1)
    )
    assert first(x[:, 0]).shape == (5, 4)
    assert not first.state_dict()


def test_products_of_turned_vectors_depend_on_the_distance(rng):
    turn = nn.RotaryPositionalEncoding(8, max_len=40, dtype=np.float64)
    q, k = rng.standard_normal((2, 8))

    def product(i, j):
        return float((turn(q[None], i) * turn(k[None], j)).sum())

    assert product(3, 10) == pytest.approx(product(20, 27))
    assert product(3, 10) != pytest.approx(product(3, 11))
    assert product(7, 7) == pytest.approx(q @ k)


def test_turning_is_multiplying_by_complex_numbers(rng):
    x = rng.standard_normal((2, 3, 5, 8))
    turn = nn.RotaryPositionalEncoding(8, dtype=np.float64)
    points = x[..., 0::2] + 1j * x[..., 1::2]
    angles = np.arange(5)[:, None] / 10000 ** (np.arange(0, 8, 2) / 8)
    wanted = points * np.exp(1j * angles)
    y = turn(x).array
    np.testing.assert_allclose(y[..., 0::2], wanted.real, atol=1e-12)
    np.testing.assert_allclose(y[..., 1::2], wanted.imag, atol=1e-12)
    half = turn(x[:, :, 2:], offset=2).array
    np.testing.assert_allclose(half, y[:, :, 2:], atol=1e-12)


def test_gradients_of_positions(rng):
    x = dotori.tensor(rng.standard_normal((2, 3, 4)), requires_grad=True)
    rotary = nn.RotaryPositionalEncoding(4, dtype=np.float64)
    waves = nn.SinusoidalPositionalEncoding(4, dtype=np.float64)
    assert dotori.gradcheck(lambda t: rotary(t) * waves(t), (x,))


@pytest.mark.parametrize(
    "kind", [nn.SinusoidalPositionalEncoding, nn.RotaryPositionalEncoding]
)
def test_positions_that_are_not_there(kind):
    with pytest.raises(ShapeError, match="has 5 positions, but max_len=4"):
        kind(2, max_len=4)(dotori.zeros(5, 2))
    with pytest.raises(ShapeError, match=r"\(\.\.\., length, 2\) is wanted, got"):
        kind(2)(dotori.zeros(5, 3))
    with pytest.raises(ArgumentError, match="an even dim"):
        kind(3)
    assert kind(4)(dotori.zeros(2, 3, 4)).dtype == np.float32
