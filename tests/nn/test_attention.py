"""Attention against the formula and PyTorch: masks, blocks, memory, several heads."""

import math
import tracemalloc
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
import dotori.nn.functional as F
from dotori import nn
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn.functional import attention as chosen
from dotori.ops import attention_blocks
from dotori.ops.attention_blocks import Dropped
from dotori.ops.heads import SplitHeads
from dotori.random import Generator

SEEDS = st.integers(0, 2**32)


@contextmanager
def small_blocks(limit=0, queries=3, keys=4):
    """Everything of more than `limit` scores is long, and blocks are small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chosen, "_MANY", limit)
        patch.setattr(attention_blocks, "QUERIES", queries)
        patch.setattr(attention_blocks, "KEYS", keys)
        yield


def by_formula(q, k, v, shown=None, bias=0.0, scale=None):
    """In float64, as it is written, rows that see nothing 0."""
    q, k, v = (np.asarray(a, np.float64) for a in (q, k, v))
    s = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    s = s + bias
    if shown is not None:
        s = np.where(shown, s, -np.inf)
    top = s.max(-1, keepdims=True, initial=-1e300)
    p = np.exp(s - top)
    total = p.sum(-1, keepdims=True)
    return np.divide(p, total, out=np.zeros_like(p), where=total != 0) @ v


# ------------------------------------------------------------------ by hand


def test_equal_scores_give_the_mean():
    q, k = dotori.zeros(1, 2), dotori.zeros(3, 2)
    v = dotori.tensor([[1.0], [2.0], [6.0]])
    assert F.scaled_dot_product_attention(q, k, v).tolist() == [[3.0]]
    seen = dotori.tensor([[True, True, False]])
    assert F.scaled_dot_product_attention(q, k, v, seen).tolist() == [[1.5]]


def test_scores_are_logarithms_of_weights():
    q = dotori.tensor([[1.0]])
    k = dotori.tensor([[0.0], [math.log(3.0)]])
    v = dotori.tensor([[0.0], [4.0]])
    assert F.scaled_dot_product_attention(q, k, v).item() == pytest.approx(3.0)
    y = F.scaled_dot_product_attention(q, k, v, scale=2.0)
    assert y.item() == pytest.approx(4 * 9 / 10)


@pytest.mark.parametrize("long", [False, True])
def test_a_row_that_sees_nothing_is_zero_and_gives_no_gradient(long, rng):
    q, k, v = (
        dotori.tensor(rng.standard_normal((5, 2)), requires_grad=True) for _ in "qkv"
    )
    shown = np.ones((5, 5), bool)
    shown[2] = False
    biases = np.where(shown, 0.0, -np.inf)
    for mask in (shown, biases):
        with small_blocks() if long else nullcontext():
            y = F.scaled_dot_product_attention(q, k, v, dotori.tensor(mask))
        assert y.array[2].tolist() == [0.0, 0.0]
        np.testing.assert_allclose(
            y.array, by_formula(q.array, k.array, v.array, shown), rtol=1e-12
        )
        q.grad = None
        with small_blocks() if long else nullcontext():
            y.sum().backward()
        assert q.grad.array[2].tolist() == [0.0, 0.0]
        assert np.isfinite(k.grad.array).all() and np.isfinite(v.grad.array).all()


@pytest.mark.parametrize("far", [30.0, 1e4])
def test_large_scores_do_not_overflow(far, rng):
    q, k, v = (rng.standard_normal((6, 4)).astype(np.float32) for _ in "qkv")
    y = F.scaled_dot_product_attention(q * far, k, v)
    np.testing.assert_allclose(y.array, by_formula(q * far, k, v), rtol=2e-3, atol=2e-3)


def test_rows_of_very_low_scores_are_weighted_all_the_same():
    """Every exponential would be 0, if the row were not shifted first."""
    q, k = dotori.tensor([[-1000.0], [0.0]]), dotori.tensor([[1.0], [1.0]])
    v = dotori.tensor([[2.0], [4.0]])
    assert F.scaled_dot_product_attention(q, k, v).tolist() == [[3.0], [3.0]]
    hidden = dotori.tensor([[0.0, -np.inf], [-500.0, -500.0]])
    y = F.scaled_dot_product_attention(q, k, v, hidden)
    assert y.tolist() == [[2.0], [3.0]]


def test_nan_stays_where_it_belongs(rng):
    q, k, v = (rng.standard_normal((3, 2)) for _ in "qkv")
    q[1, 0] = np.nan
    y = F.scaled_dot_product_attention(q, k, v).array
    assert np.isnan(y[1]).all() and np.isfinite(y[[0, 2]]).all()


@pytest.mark.parametrize(
    "shapes",
    [
        ((0, 3), (4, 3), (4, 2)),
        ((4, 3), (0, 3), (0, 2)),
        ((0, 2, 3), (0, 4, 3), (0, 4, 2)),
        ((4, 0), (5, 0), (5, 2)),
    ],
)
def test_nothing_at_all(shapes):
    q, k, v = (dotori.zeros(*s, requires_grad=True) for s in shapes)
    y = F.scaled_dot_product_attention(q, k, v)
    assert y.shape == (*shapes[0][:-1], 2) and not y.array.any()
    y.sum().backward()
    assert k.grad.shape == shapes[1]


# ------------------------------------------------------------------ as PyTorch


@st.composite
def problems(draw, long=False):
    """Arrays for query, key and value, and the other arguments."""
    rng = np.random.default_rng(draw(SEEDS))
    lead = draw(st.sampled_from([(), (2,), (1,), (2, 3), (1, 2), (2, 1, 2)]))
    rows = draw(st.integers(1, 13 if long else 5))
    keys = draw(st.integers(1, 13 if long else 5))
    dim, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    size = draw(st.sampled_from([1.0, 10.0]))
    arrays = [
        rng.standard_normal((*lead, rows, dim)) * size,
        rng.standard_normal((*lead, keys, dim)),
        rng.standard_normal((*lead, keys, width)),
    ]
    kind = draw(st.sampled_from(["none", "bool", "float", "causal", "inf"]))
    mask = None
    shape = draw(st.sampled_from([(rows, keys), (*lead, rows, keys), (1, keys)]))
    if kind == "bool":
        mask = rng.random(shape) < 0.6
    elif kind in ("float", "inf"):
        mask = rng.standard_normal(shape)
        if kind == "inf":
            mask[rng.random(shape) < 0.4] = -np.inf
    scale = draw(st.sampled_from([None, 0.3, 1.0]))
    return arrays, mask, {"is_causal": kind == "causal", "scale": scale}


def compare(oracle, arrays, mask, options):
    """Value and gradients of both orders; those of masks of numbers, too."""
    trained = mask is not None and mask.dtype != bool and np.isfinite(mask).all()
    fixed = None if mask is None or trained else mask

    def ours(q, k, v, m=None):
        given = m if m is not None else fixed
        return F.scaled_dot_product_attention(q, k, v, given, **options)

    def theirs(q, k, v, m=None):
        given = m
        if m is None and fixed is not None:
            given = oracle.torch.tensor(fixed)
        from torch.nn.attention import SDPBackend, sdpa_kernel

        with sdpa_kernel(SDPBackend.MATH):  # the others have no second gradient
            return oracle.torch.nn.functional.scaled_dot_product_attention(
                q, k, v, given, **options
            )

    given = [*arrays, mask] if trained else arrays
    # PyTorch's second gradient is NaN where a mask has -inf
    second = mask is None or trained
    oracle.agree(ours, theirs, *given, second=second, rtol=1e-6, atol=1e-9)


@given(problems())
def test_attention_as_in_torch(problem):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    compare(oracle, *problem)


@given(problems(long=True))
def test_attention_in_blocks_as_in_torch(problem):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    arrays, mask, options = problem
    if mask is not None and mask.dtype != bool:
        mask = mask.copy()
        mask.flat[0] = -np.inf  # a mask that is not trained
    with small_blocks():
        compare(oracle, arrays, mask, options)


@given(SEEDS, st.sampled_from([(4, 2), (6, 1), (3, 3)]), st.booleans())
def test_grouped_heads_as_in_torch(seed, heads, causal):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    rng = np.random.default_rng(seed)
    many, few = heads
    arrays = [rng.standard_normal(s) for s in ((2, many, 3, 4), *[(2, few, 5, 4)] * 2)]
    options = {"enable_gqa": True, "is_causal": causal}
    oracle.agree(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options),
        lambda q, k, v: oracle.torch.nn.functional.scaled_dot_product_attention(
            q, k, v, **options
        ),
        *arrays,
        second=False,
    )


@pytest.mark.parametrize("rows", [16, 1100])
def test_float32_is_about_as_precise_as_pytorchs(rows, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the measure")
    arrays = [rng.standard_normal((2, rows, 8)) for _ in "qkv"]
    wanted = by_formula(*arrays)
    singles = [a.astype(np.float32) for a in arrays]
    ours = F.scaled_dot_product_attention(*singles).array
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *(torch.tensor(a) for a in singles)
    ).numpy()
    assert ours.dtype == np.float32
    assert abs(ours - wanted).max() <= 10 * abs(theirs - wanted).max()


def test_half_precision_comes_back_as_half(rng):
    q, k, v = (rng.standard_normal((5, 8)).astype(np.float16) for _ in "qkv")
    y = F.scaled_dot_product_attention(q, k, v)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.array, by_formula(q, k, v), rtol=2e-3, atol=2e-3)


# ------------------------------------------------------------------ blocks, memory


def test_blocks_are_the_formula_where_they_do_not_fit(rng):
    """Lengths that blocks do not divide, in one head and in several."""
    q, k, v = (rng.standard_normal((2, 600, 4)) for _ in "qkv")
    tensors = [dotori.tensor(a, requires_grad=True) for a in (q, k, v)]
    for causal in (False, True):
        found = []
        for limit in (0, 2**30):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(chosen, "_MANY", limit)
                y = F.scaled_dot_product_attention(*tensors, is_causal=causal)
                grads = dotori.autograd.grad((y * y).sum(), tensors)
                found.append([y.array, *(g.array for g in grads)])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sizes", [(3, 4), (4, 3), (1, 1), (5, 2), (2, 7), (13, 13)])
def test_blocks_of_any_size_cut_the_causal_mask_right(sizes, rng):
    q, k, v = (rng.standard_normal((13, 2)) for _ in "qkv")
    wanted = by_formula(q, k, v, np.tri(13, dtype=bool))
    with small_blocks(0, *sizes):
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    np.testing.assert_allclose(y.array, wanted, rtol=1e-10)


def test_memory_does_not_grow_with_the_square_of_the_length(rng):
    length, dim = 4096, 32
    tensors = [
        dotori.tensor(
            rng.standard_normal((1, length, dim)).astype(np.float32), requires_grad=True
        )
        for _ in "qkv"
    ]
    tracemalloc.start()
    try:
        F.scaled_dot_product_attention(*tensors).sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    scores = length * length * 4
    assert peak < scores / 10


# ------------------------------------------------------------------ dropout


def dropped_with(limit, seed, tensors, p=0.4):
    with small_blocks(limit, 16, 32):
        dotori.manual_seed(seed)
        y = F.scaled_dot_product_attention(*tensors, dropout_p=p)
        return [y, *dotori.autograd.grad((y * y).sum(), tensors, create_graph=True)]


@pytest.mark.parametrize("limit", [0, 2**30])
def test_dropout_is_that_of_the_seed_and_right_in_the_mean(limit, rng):
    q, k = (dotori.zeros(2, 40, 3, requires_grad=True) for _ in "qk")
    v = dotori.ones(2, 40, 400, requires_grad=True)
    first = dropped_with(limit, 7, (q, k, v))
    again = dropped_with(limit, 7, (q, k, v))
    other = dropped_with(limit, 8, (q, k, v))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.array, b.array)
    assert (first[0].array != other[0].array).any()
    # a row keeps 40 (1 - p) of 40 weights 1/40, each times 1/(1 - p)
    rows = first[0].array[..., 0]
    assert abs(rows.mean() - 1) < 0.06
    assert len(np.unique(rows.round(4))) > 5


@pytest.mark.parametrize("limit", [0, 2**30])
def test_gradients_drop_what_the_value_dropped(limit, rng):
    """The first order by the fast rule, the second by the formula, one mask."""
    arrays = [rng.standard_normal((2, 20, 3)) for _ in "qkv"]
    leaves = [dotori.tensor(a, requires_grad=True) for a in arrays]

    def value(*tensors):
        return dropped_with(limit, 3, tensors)[0].sum()

    with small_blocks(limit, 16, 32):
        assert dotori.gradcheck(value, leaves)
        plain = dropped_with(limit, 3, leaves)
        quick = dotori.autograd.grad((plain[0] * plain[0]).sum(), leaves)
    for a, b in zip(plain[1:], quick, strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-13)


def test_everything_dropped_is_zero():
    q = dotori.ones(2, 3, requires_grad=True)
    y = F.scaled_dot_product_attention(q, q, q, dropout_p=1.0)
    assert not y.array.any()
    y.sum().backward()
    assert not q.grad.array.any()


def test_blocks_of_what_is_kept_make_the_whole(monkeypatch):
    monkeypatch.setattr(attention_blocks, "QUERIES", 4)
    monkeypatch.setattr(attention_blocks, "KEYS", 3)
    dropped = Dropped(Generator(5), 0.3)
    whole = dropped.whole((2, 6, 5))
    np.testing.assert_array_equal(whole[1, 4:6, 3:5], dropped.block(1, 4, 3, (2, 2)))
    assert 0.5 < whole.mean() < 0.9


# ------------------------------------------------------------------ several heads


@st.composite
def layers(draw):
    """Arguments of `MultiheadAttention`, its inputs and the options of a call."""
    rng = np.random.default_rng(draw(SEEDS))
    heads, wide = draw(st.sampled_from([(1, 4), (2, 4), (3, 6)]))
    kdim, vdim = draw(st.sampled_from([(None, None), (3, None), (3, 5)]))
    batch_first, batched = draw(st.booleans()), draw(st.booleans())
    keywords = {
        "bias": draw(st.booleans()),
        "add_bias_kv": draw(st.booleans()),
        "add_zero_attn": draw(st.booleans()),
        "kdim": kdim,
        "vdim": vdim,
        "batch_first": batch_first,
    }
    n, rows, keys = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
    )
    same = draw(st.sampled_from(["self", "memory", "apart"]))
    if kdim or vdim:
        same = "apart"
    keys = rows if same == "self" else keys

    def x(length, features):
        shape = (n, length, features) if batch_first else (length, n, features)
        return rng.standard_normal(shape if batched else (length, features))

    inputs = [x(rows, wide)]
    if same != "self":
        inputs.append(x(keys, kdim or wide))
    if same == "apart":
        inputs.append(x(keys, vdim or wide))
    options = {
        "need_weights": draw(st.booleans()),
        "average_attn_weights": draw(st.booleans()),
    }
    kind = draw(st.sampled_from([None, "2d", "3d"]))
    if kind:
        shape = (
            (rows, keys)
            if kind == "2d"
            else ((n if batched else 1) * heads, rows, keys)
        )
        hidden = rng.random(shape) < 0.4
        hidden[..., 0] = False  # no row sees nothing: PyTorch has NaN then, or not
        floats = draw(st.booleans())
        options["attn_mask"] = rng.standard_normal(shape) if floats else hidden
    if draw(st.booleans()):
        hidden = rng.random((n, keys) if batched else (keys,)) < 0.4
        hidden[..., 0] = False
        options["key_padding_mask"] = hidden
        if options.get("attn_mask", hidden).dtype != bool:  # PyTorch warns of two types
            options["key_padding_mask"] = np.where(hidden, -np.inf, 0.0)
    return (wide, heads), keywords, inputs, options


@given(layers())
def test_multi_head_attention_as_in_torch(drawn):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    torch = oracle.torch
    args, keywords, inputs, options = drawn
    theirs = torch.nn.MultiheadAttention(*args, **keywords).double()
    ours = nn.MultiheadAttention(*args, **keywords).double()
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({k: dotori.tensor(v) for k, v in state.items()})
    assert repr(ours.out_proj).startswith("Linear(")

    def run(module, convert, xs):
        q, k, v = (xs * 3)[:3] if len(xs) == 1 else (xs[0], xs[1], xs[-1])
        given = {
            key: convert(value) if isinstance(value, np.ndarray) else value
            for key, value in options.items()
        }
        return module(q, k, v, **given)

    xs = [dotori.tensor(a, requires_grad=True) for a in inputs]
    ts = [torch.tensor(a, requires_grad=True) for a in inputs]
    (y, weights), (z, others) = (
        run(ours, dotori.tensor, xs),
        run(theirs, torch.tensor, ts),
    )
    oracle.same(y, z)
    assert (weights is None) == (others is None)
    total, torch_total = (y * y).sum(), (z * z).sum()
    if weights is not None:
        oracle.same(weights, others, what="weights")
        total, torch_total = total + (weights**2).sum(), torch_total + (others**2).sum()
    total.backward()
    torch_total.backward()
    for a, b in zip(xs, ts, strict=True):
        oracle.same(a.grad, b.grad, 1e-6, 1e-9, "gradient of an input")
    wanted = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        oracle.same(p.grad, wanted[name].grad, 1e-6, 1e-9, f"gradient of {name}")


@pytest.mark.parametrize("axis", [0, 1])
def test_heads_of_which_some_are_not_used_give_no_gradient_to_the_rest(axis, rng):
    x = dotori.tensor(rng.standard_normal((2, 3, 12)), requires_grad=True)
    for used in range(3):
        x.grad = None
        dotori.autograd.apply(SplitHeads, x, heads=2, batch_axis=axis)[
            used
        ].sum().backward()
        wanted = np.zeros((2, 3, 12))
        wanted[..., 4 * used : 4 * used + 4] = 1
        np.testing.assert_array_equal(x.grad.array, wanted)


def test_second_order_through_several_heads(rng):
    attention = nn.MultiheadAttention(4, 2, batch_first=True).double()
    x = dotori.tensor(rng.standard_normal((2, 3, 4)), requires_grad=True)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert dotori.gradgradcheck(
        lambda t: attention(t, t, t, need_weights=False, attn_mask=mask)[0], (x,)
    )


@given(SEEDS, st.booleans())
def test_static_keys_and_values_as_in_torch(seed, weighted):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    rng = np.random.default_rng(seed)
    x, w, b = (rng.standard_normal(s) for s in ((3, 2, 4), (12, 4), (12,)))
    out, k, v = (rng.standard_normal(s) for s in ((4, 4), (4, 5, 2), (4, 5, 2)))

    def call(module):
        def function(x, w, b, out, k, v):
            y, _ = module.multi_head_attention_forward(
                *(x, x, x, 4, 2, w, b, None, None, False, 0.0, out, None),
                need_weights=weighted,
                static_k=k,
                static_v=v,
            )
            return y

        return function

    arrays = (x, w, b, out, k, v)
    oracle.agree(call(F), call(oracle.torch.nn.functional), *arrays, second=False)


def test_a_causal_mask_and_the_hint_are_the_same(rng):
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    x = rng.standard_normal((2, 5, 4)).astype(np.float32)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    found = [
        attention(x, x, x, need_weights=False, attn_mask=m, is_causal=hint)[0].array
        for m, hint in ((mask, False), (mask, True), (mask == -np.inf, False))
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-5, atol=1e-6)


def test_dropout_of_weights_is_for_training_alone(rng):
    attention = nn.MultiheadAttention(4, 2, dropout=0.5)
    x = dotori.tensor(rng.standard_normal((5, 1, 4)).astype(np.float32))
    for needed in (True, False):
        a, b = (attention(x, x, x, need_weights=needed)[0].array for _ in range(2))
        assert (a != b).any()
    attention.eval()
    a, b = (
        attention(x, x, x, need_weights=needed)[0].array for needed in (True, False)
    )
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_initial_weights_are_those_of_torch():
    dotori.manual_seed(0)
    attention = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    bound = math.sqrt(6 / (4 * 64))
    values = attention.in_proj_weight.array
    assert abs(values).max() <= bound and values.std() == pytest.approx(
        bound / 3**0.5, 0.02
    )
    assert not attention.in_proj_bias.array.any()
    assert not attention.out_proj.bias.array.any()
    assert attention.out_proj.weight.array.any() and attention.bias_k.array.any()
    apart = nn.MultiheadAttention(64, 4, kdim=128)
    assert abs(apart.k_proj_weight.array).max() <= math.sqrt(6 / 192)
    assert abs(apart.k_proj_weight.array).max() > 0.98 * math.sqrt(6 / 192)


# ------------------------------------------------------------------ mistakes


def z(*shape, dtype=np.float32):
    return dotori.zeros(*shape, dtype=dtype)


MISTAKES = [
    (
        (z(3), z(3), z(3)),
        {},
        ShapeError,
        r"\(\.\.\., length, dim\) are wanted, got \(3,\)",
    ),
    ((z(3, 2), z(4, 3), z(4, 2)), {}, ShapeError, "query and key must be equally long"),
    ((z(3, 2), z(4, 2), z(5, 2)), {}, ShapeError, "last but one of key and value"),
    ((z(2, 3, 2), z(3, 3, 2), z(3, 3, 2)), {}, ShapeError, "do not go together"),
    (
        (z(3, 2, dtype=np.float64), z(3, 2), z(3, 2)),
        {},
        DTypeError,
        "floats of one type",
    ),
    ((z(3, 2), z(3, 2), z(3, 2)), {"dropout_p": 1.5}, ArgumentError, "got 1.5"),
    (
        (z(3, 2), z(3, 2), z(3, 2), z(3, 3)),
        {"is_causal": True},
        ArgumentError,
        "a mask or is_causal=True, not both",
    ),
    (
        (z(3, 2), z(3, 2), z(3, 2), z(3, 4)),
        {},
        ShapeError,
        r"attn_mask of shape \(3, 4\) does not broadcast to the scores of shape \(3, 3\)",
    ),
    (
        (z(3, 2), z(3, 2), z(3, 2), z(3, 3, dtype=np.int64)),
        {},
        DTypeError,
        "booleans or floats, got int64",
    ),
    (
        (z(3, 3, 2), z(2, 3, 2), z(2, 3, 2)),
        {"enable_gqa": True},
        ShapeError,
        "the 3 heads of the query",
    ),
]


@pytest.mark.parametrize(("args", "keywords", "kind", "said"), MISTAKES)
def test_attention_that_cannot_be(args, keywords, kind, said):
    with pytest.raises(kind, match=said):
        F.scaled_dot_product_attention(*args, **keywords)


HEADED = [
    ((z(3, 1, 4),) * 2 + (z(2, 1, 4),), {}, ShapeError, "key and value must agree"),
    (
        (z(3, 1, 5),) * 3,
        {},
        ShapeError,
        "query of shape .3, 1, 5.: its last axis must be 4",
    ),
    ((z(3, 1, 4), z(3, 2, 4), z(3, 2, 4)), {}, ShapeError, "one batch size .axis 1."),
    ((z(3, 4), z(3, 1, 4), z(3, 1, 4)), {}, ShapeError, "all have 3 axes, or 2"),
    (
        (z(3, 1, 4),) * 3,
        {"attn_mask": z(2, 3)},
        ShapeError,
        r"attn_mask must have the shape \(3, 3\)",
    ),
    (
        (z(3, 1, 4),) * 3,
        {"attn_mask": z(1, 3, 3)},
        ShapeError,
        r"\(2, 3, 3\), got \(1, 3, 3\)",
    ),
    (
        (z(3, 1, 4),) * 3,
        {"key_padding_mask": z(3)},
        ShapeError,
        r"key_padding_mask must have the shape \(1, 3\), got \(3,\)",
    ),
    (
        (z(3, 1, 4),) * 3,
        {"key_padding_mask": z(1, 3, dtype=np.uint8)},
        DTypeError,
        "booleans or floats, got uint8",
    ),
    ((z(3, 1, 4),) * 3, {"is_causal": True}, ArgumentError, "give that mask as well"),
]


@pytest.mark.parametrize(("args", "keywords", "kind", "said"), HEADED)
def test_heads_that_cannot_be(args, keywords, kind, said):
    with pytest.raises(kind, match=said):
        nn.MultiheadAttention(4, 2)(*args, **keywords)


def test_layers_that_cannot_be():
    with pytest.raises(
        ArgumentError, match="embed_dim=5 must be a multiple of num_heads=2"
    ):
        nn.MultiheadAttention(5, 2)
    with pytest.raises(ArgumentError, match="a probability, got 2"):
        nn.MultiheadAttention(4, 2, dropout=2)
    x, w = z(3, 1, 4), z(12, 4)
    fixed = (False, 0.0, z(4, 4), None)
    with pytest.raises(ArgumentError, match="bias_k and bias_v go together"):
        F.multi_head_attention_forward(x, x, x, 4, 2, w, None, z(4), None, *fixed)
    with pytest.raises(ShapeError, match="its last axis must be 8"):
        F.multi_head_attention_forward(x, x, x, 8, 2, w, None, None, None, *fixed)
    with pytest.raises(ArgumentError, match="a weight of a projection is missing"):
        F.multi_head_attention_forward(x, x, x, 4, 2, None, None, None, None, *fixed)


def test_results_do_not_depend_on_the_number_of_threads():
    """Also where the scores of one head are large, and its rows are shifted."""
    from dotori.kernels import _threads

    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((12, 4, 48, 16)).astype("f") for _ in range(3))
    q[5, 2] *= 50
    before, found = _threads._threads.number, []
    for number in (1, 2, 3):
        _threads.set_number(number)
        try:
            leaves = [dotori.tensor(a, requires_grad=True) for a in (q, k, v)]
            y = F.scaled_dot_product_attention(*leaves)
            (y**2).sum().backward()
            found.append([y.detach().array, *(t.grad.array for t in leaves)])
        finally:
            _threads.set_number(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
