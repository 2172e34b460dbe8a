"""Losses against PyTorch in float64, over drawn arguments, to second order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dotori.nn.functional as F

oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
TF = oracle.torch.nn.functional
torch_tensor = oracle.torch.tensor

reductions = st.sampled_from(["mean", "sum", "none"])
shapes = st.sampled_from([(5,), (4, 3), (2, 3, 2), ()])
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def draw(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "soft_margin_loss"])
@few
@given(shape=shapes, reduction=reductions, seed=seeds)
def test_plain_losses(name, shape, reduction, seed):
    x, t = draw(seed, (2, *shape))
    if name == "soft_margin_loss":
        t = np.sign(t)
        oracle.agree(
            lambda x: getattr(F, name)(x, t, reduction=reduction),
            lambda x: getattr(TF, name)(x, torch_tensor(t), reduction=reduction),
            x,
        )
        return
    oracle.agree(
        lambda x, t: getattr(F, name)(x, t, reduction=reduction),
        lambda x, t: getattr(TF, name)(x, t, reduction=reduction),
        x,
        t,
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_elements(name, reduction, rng):
    x, t = rng.standard_normal((2, 4, 3))
    w = rng.uniform(0.5, 2, (4, 3))
    oracle.agree(
        lambda x: getattr(F, name)(x, t, reduction=reduction, weight=w),
        lambda x: getattr(TF, name)(
            x, torch_tensor(t), reduction=reduction, weight=torch_tensor(w)
        ),
        x,
    )


@few
@given(
    shape=shapes,
    reduction=reductions,
    seed=seeds,
    delta=st.sampled_from([0.3, 1.0, 2.5]),
)
def test_huber_and_smooth_l1(shape, reduction, seed, delta):
    x, t = draw(seed, (2, *shape)) * 2
    oracle.agree(
        lambda x, t: F.huber_loss(x, t, reduction=reduction, delta=delta),
        lambda x, t: TF.huber_loss(x, t, reduction=reduction, delta=delta),
        x,
        t,
    )
    oracle.agree(
        lambda x, t: F.smooth_l1_loss(x, t, reduction=reduction, beta=delta),
        lambda x, t: TF.smooth_l1_loss(x, t, reduction=reduction, beta=delta),
        x,
        t,
    )


def test_smooth_l1_with_beta_0_is_l1(rng):
    x, t = rng.standard_normal((2, 7))
    assert F.smooth_l1_loss(x, t, beta=0).item() == F.l1_loss(x, t).item()


@few
@given(
    reduction=reductions,
    seed=seeds,
    trailing=st.sampled_from([(), (3,), (2, 2)]),
    weighted=st.booleans(),
    ignored=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_cross_entropy_of_labels(
    reduction, seed, trailing, weighted, ignored, smoothing
):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((6, 4, *trailing)) * 3
    labels = rng.integers(0, 4, (6, *trailing))
    weight = rng.uniform(0.2, 2.0, 4) if weighted else None
    ignore_index = 2 if ignored else -100
    labels.flat[0] = 1  # something counts
    options = {
        "reduction": reduction,
        "ignore_index": ignore_index,
        "label_smoothing": smoothing,
    }
    oracle.agree(
        lambda x: F.cross_entropy(x, labels, weight, **options),
        lambda x: TF.cross_entropy(
            x,
            torch_tensor(labels),
            None if weight is None else torch_tensor(weight),
            **options,
        ),
        x,
    )


@few
@given(
    reduction=reductions,
    seed=seeds,
    trailing=st.sampled_from([(), (3,)]),
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.1]),
)
def test_cross_entropy_of_probabilities(reduction, seed, trailing, weighted, smoothing):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((5, 4, *trailing)) * 3
    t = rng.dirichlet(np.ones(4), (5, *trailing))
    t = np.ascontiguousarray(np.moveaxis(t, -1, 1))
    weight = rng.uniform(0.2, 2.0, 4) if weighted else None
    options = {"reduction": reduction, "label_smoothing": smoothing}
    oracle.agree(
        lambda x, t: F.cross_entropy(x, t, weight, **options),
        lambda x, t: TF.cross_entropy(
            x, t, None if weight is None else torch_tensor(weight), **options
        ),
        x,
        t,
    )


@few
@given(
    reduction=reductions,
    seed=seeds,
    trailing=st.sampled_from([(), (3,), (2, 2)]),
    weighted=st.booleans(),
    ignored=st.booleans(),
)
def test_nll_loss(reduction, seed, trailing, weighted, ignored):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((6, 4, *trailing))
    labels = rng.integers(0, 4, (6, *trailing))
    labels.flat[0] = 1
    weight = rng.uniform(0.2, 2.0, 4) if weighted else None
    options = {"reduction": reduction, "ignore_index": 2 if ignored else -100}
    oracle.agree(
        lambda x: F.nll_loss(x, labels, weight, **options),
        lambda x: TF.nll_loss(
            x,
            torch_tensor(labels),
            None if weight is None else torch_tensor(weight),
            **options,
        ),
        x,
    )


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_one_sample_without_a_batch(name, reduction, rng):
    x, label = rng.standard_normal(4), np.array(2)
    oracle.agree(
        lambda x: getattr(F, name)(x, label, reduction=reduction),
        lambda x: getattr(TF, name)(x, torch_tensor(label), reduction=reduction),
        x,
    )


def test_cross_entropy_where_no_label_counts_is_nan_as_in_torch():
    x, labels = np.zeros((2, 3)), np.array([-100, -100])
    assert np.isnan(F.cross_entropy(x, labels).item())
    assert F.cross_entropy(x, labels, reduction="sum").item() == 0.0
    assert F.cross_entropy(x, labels, reduction="none").tolist() == [0.0, 0.0]


@few
@given(shape=shapes, reduction=reductions, seed=seeds, weighted=st.booleans())
def test_binary_cross_entropy(shape, reduction, seed, weighted):
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(0.01, 0.99, shape), rng.uniform(0, 1, shape)
    w = rng.uniform(0.5, 2, shape) if weighted else None
    tw = None if w is None else torch_tensor(np.asarray(w))
    oracle.agree(
        lambda x: F.binary_cross_entropy(x, t, w, reduction=reduction),
        lambda x: TF.binary_cross_entropy(
            x, torch_tensor(np.asarray(t)), tw, reduction=reduction
        ),
        np.asarray(x),
    )


@pytest.mark.parametrize("target", [0.0, 0.5, 1.0])
def test_binary_cross_entropy_at_its_bounds(target):
    x = np.array([0.0, 1.0])
    t = np.full(2, target)
    oracle.agree(
        lambda x: F.binary_cross_entropy(x, t, reduction="none"),
        lambda x: TF.binary_cross_entropy(x, torch_tensor(t), reduction="none"),
        x,
        second=False,
    )


@few
@given(
    shape=st.sampled_from([(5, 3), (2, 3)]),
    reduction=reductions,
    seed=seeds,
    weighted=st.booleans(),
    positive=st.booleans(),
)
def test_binary_cross_entropy_with_logits(shape, reduction, seed, weighted, positive):
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal(shape) * 4, rng.uniform(0, 1, shape)
    w = rng.uniform(0.5, 2, shape) if weighted else None
    p = rng.uniform(0.5, 3, shape[1]) if positive else None
    tw = None if w is None else torch_tensor(w)
    tp = None if p is None else torch_tensor(p)
    name = "binary_cross_entropy_with_logits"
    oracle.agree(
        lambda x, t: getattr(F, name)(x, t, w, reduction=reduction, pos_weight=p),
        lambda x, t: getattr(TF, name)(x, t, tw, reduction=reduction, pos_weight=tp),
        x,
        t,
    )


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@few
@given(
    reduction=st.sampled_from(["mean", "batchmean", "sum", "none"]),
    seed=seeds,
    log_target=st.booleans(),
)
def test_kl_div(reduction, seed, log_target):
    rng = np.random.default_rng(seed)
    x, t = np.log(rng.dirichlet(np.ones(4), 5)), rng.dirichlet(np.ones(4), 5)
    t = np.log(t) if log_target else t
    oracle.agree(
        lambda x, t: F.kl_div(x, t, reduction=reduction, log_target=log_target),
        lambda x, t: TF.kl_div(x, t, reduction=reduction, log_target=log_target),
        x,
        t,
    )


def test_kl_div_counts_no_class_that_cannot_occur():
    assert F.kl_div([[-0.5, -1.0]], [[0.0, 1.0]], reduction="sum").item() == 1.0


@few
@given(reduction=reductions, seed=seeds, margin=st.sampled_from([0.0, 0.5, 2.0]))
def test_losses_of_pairs_with_a_margin(reduction, seed, margin):
    rng = np.random.default_rng(seed)
    a, b, c = rng.standard_normal((3, 6, 3))
    sign = rng.choice([-1.0, 1.0], 6)
    options = {"reduction": reduction, "margin": margin}
    ts = torch_tensor(sign)
    oracle.agree(
        lambda a, b: F.cosine_embedding_loss(a, b, sign, **options),
        lambda a, b: TF.cosine_embedding_loss(a, b, ts, **options),
        a,
        b,
    )
    oracle.agree(
        lambda a, b: F.margin_ranking_loss(a, b, sign, **options),
        lambda a, b: TF.margin_ranking_loss(a, b, ts, **options),
        a[:, 0],
        b[:, 0],
    )
    oracle.agree(
        lambda a: F.hinge_embedding_loss(a, sign, **options),
        lambda a: TF.hinge_embedding_loss(a, ts, **options),
        a[:, 0],
    )
    options["margin"] += 0.5  # PyTorch wants one here
    oracle.agree(
        lambda a, b, c: F.triplet_margin_loss(a, b, c, **options, swap=margin > 0),
        lambda a, b, c: TF.triplet_margin_loss(a, b, c, **options, swap=margin > 0),
        a,
        b,
        c,
    )


@few
@given(
    reduction=reductions,
    seed=seeds,
    p=st.sampled_from([1, 2]),
    margin=st.sampled_from([0.5, 1.0]),
    weighted=st.booleans(),
)
def test_multi_margin_loss(reduction, seed, p, margin, weighted):
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    w = rng.uniform(0.5, 2, 4) if weighted else None
    oracle.agree(
        lambda x: F.multi_margin_loss(x, labels, p, margin, w, reduction=reduction),
        lambda x: TF.multi_margin_loss(
            x,
            torch_tensor(labels),
            p,
            margin,
            None if w is None else torch_tensor(w),
            reduction=reduction,
        ),
        x,
        second=False,  # PyTorch has none
    )


@few
@given(reduction=reductions, seed=seeds, weighted=st.booleans())
def test_losses_of_several_labels(reduction, seed, weighted):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((5, 4))
    sets = np.stack([rng.permutation(4) for _ in range(5)])
    for row, n in zip(sets, rng.integers(0, 5, 5), strict=True):
        row[n : n + 1] = -1
    oracle.agree(
        lambda x: F.multilabel_margin_loss(x, sets, reduction=reduction),
        lambda x: TF.multilabel_margin_loss(x, torch_tensor(sets), reduction=reduction),
        x,
        second=False,  # PyTorch has none
    )
    t = rng.integers(0, 2, (5, 4)).astype(float)
    w = rng.uniform(0.5, 2, 4) if weighted else None
    tw = None if w is None else torch_tensor(w)
    oracle.agree(
        lambda x: F.multilabel_soft_margin_loss(x, t, w, reduction=reduction),
        lambda x: TF.multilabel_soft_margin_loss(
            x, torch_tensor(t), tw, reduction=reduction
        ),
        x,
    )


@few
@given(reduction=reductions, seed=seeds, log_input=st.booleans(), full=st.booleans())
def test_poisson_nll_loss(reduction, seed, log_input, full):
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(0.1, 3, (4, 3)), rng.poisson(3, (4, 3)).astype(float)
    options = {"log_input": log_input, "full": full, "reduction": reduction}
    oracle.agree(
        lambda x: F.poisson_nll_loss(x, t, **options),
        lambda x: TF.poisson_nll_loss(x, torch_tensor(t), **options),
        x,
    )


@few
@given(
    reduction=reductions,
    seed=seeds,
    full=st.booleans(),
    var_shape=st.sampled_from([(4, 3), (4, 1), (4,)]),
)
def test_gaussian_nll_loss(reduction, seed, full, var_shape):
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal((2, 4, 3))
    var = rng.uniform(0.1, 2, var_shape)
    options = {"full": full, "reduction": reduction}
    oracle.agree(
        lambda x, t, v: F.gaussian_nll_loss(x, t, v, **options),
        lambda x, t, v: TF.gaussian_nll_loss(x, t, v, **options),
        x,
        t,
        var,
    )


@few
@given(
    seed=seeds,
    p=st.sampled_from([1.0, 2.0, 3.0, np.inf]),
    keepdim=st.booleans(),
)
def test_distances(seed, p, keepdim):
    a, b = draw(seed, (2, 4, 3))
    oracle.agree(
        lambda a, b: F.pairwise_distance(a, b, p, keepdim=keepdim),
        lambda a, b: TF.pairwise_distance(a, b, p, keepdim=keepdim),
        a,
        b,
    )
    for dim in (0, 1):
        oracle.agree(
            lambda a, dim=dim: F.normalize(a, p, dim),
            lambda a, dim=dim: TF.normalize(a, p, dim),
            a,
        )
        oracle.agree(
            lambda a, b, dim=dim: F.cosine_similarity(a, b, dim),
            lambda a, b, dim=dim: TF.cosine_similarity(a, b, dim),
            a,
            b,
        )


def test_one_hot(rng):
    labels = rng.integers(0, 4, (3, 2))
    oracle.same(F.one_hot(labels), TF.one_hot(torch_tensor(labels)))
    oracle.same(F.one_hot(labels, 7), TF.one_hot(torch_tensor(labels), 7))
