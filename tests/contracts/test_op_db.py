"""Every real-valued operator of PyTorch's own list that dotori has, on PyTorch's samples.

Values, types, gradients and second gradients in float64; values and types in the other
types; and the inputs that PyTorch refuses. What differs on purpose stands in
`op_db_excuses.py` with a reason; what is not there, in `pytorch_lists.py`.
"""

import warnings

import numpy as np
import pytest

import dotori
from op_db import (
    DTYPES,
    NotOurs,
    as_array,
    assert_same,
    call,
    flat,
    function_of,
    real_valued,
    spread,
    takes_a_number,
    to_leaves,
    to_ours,
    torch,
)
from op_db_excuses import (
    DELIBERATE,
    FREE,
    REFUSALS,
    TOLERANCE,
    TYPES_DIFFER,
    WITHOUT_GRADIENT,
)

OPS = {name: op for name, op in real_valued().items() if function_of(op)}
NAMES = sorted(OPS)


def run_both(op, sample):
    """Outputs and leaves, ours and PyTorch's."""
    theirs, leaves, ours = [], [], function_of(op)
    packed = (sample.input, tuple(sample.args), dict(sample.kwargs))
    x, args, kwargs = to_leaves(packed, theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sample.output_process_fn_grad(call(op.op, x, args, kwargs))
    x, args, kwargs = to_ours(packed, True, leaves)
    if op.name.endswith("_"):  # leaves are not written to
        x = x.clone()
    found = sample.output_process_fn_grad(call(ours, x, args, kwargs))
    return found, leaves, expected, theirs


def tracked(outputs):
    return [y for y in flat(outputs) if getattr(y, "requires_grad", False)]


def weights_for(outputs, seed):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(tuple(y.shape))) for y in outputs]


def gradients(module, outputs, weights, leaves, create_graph):
    convert = torch.tensor if module is torch else dotori.tensor
    seeds = [
        convert(w if "complex" not in str(y.dtype) else w + 0.5j * w)
        for y, w in zip(outputs, weights, strict=True)
    ]
    found = module.autograd.grad(
        outputs, leaves, seeds, create_graph=create_graph, allow_unused=True
    )
    return [
        np.zeros(tuple(x.shape)) if g is None else g
        for g, x in zip(found, leaves, strict=True)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_pytorchs(name):
    op = OPS[name]
    if torch.float64 not in op.dtypes:
        pytest.skip("the operator takes integers only")
    rtol, atol = TOLERANCE.get(name, (1e-7, 1e-9))
    seen = 0
    tracked_samples = op.sample_inputs(
        "cpu", torch.float64, requires_grad=op.supports_autograd
    )
    for i, sample in spread(tracked_samples, 300):  # max_pool2d has 1440
        try:
            found, leaves, expected, theirs = run_both(op, sample)
        except NotOurs:
            continue
        except ValueError as error:
            if DELIBERATE.get(name, "-") in str(error):
                continue
            raise
        seen += 1
        what = f"sample {i} of {name}"
        if name in FREE:  # random values: shapes and types
            for a, b in zip(flat(found), flat(expected), strict=True):
                assert tuple(a.shape) == tuple(b.shape), what
                assert a.dtype == DTYPES[b.dtype], what
            continue
        assert_same(found, expected, rtol, atol, what)
        compare_gradients(op, name, found, leaves, expected, theirs, rtol, atol, what)
    assert seen, f"no sample of {name} was tried"


def compare_gradients(op, name, found, leaves, expected, theirs, rtol, atol, what):
    if not op.supports_autograd or name in WITHOUT_GRADIENT:
        return
    zs = [z for z in flat(expected) if isinstance(z, torch.Tensor) and z.requires_grad]
    ys = tracked(found)
    assert len(ys) == len(zs), f"{what}: {len(ys)} of {len(zs)} outputs have a gradient"
    if not zs or not theirs:
        return
    weights = weights_for(zs, 0)
    again = op.supports_gradgrad and sum(z.numel() for z in theirs) <= 500
    hs = gradients(torch, zs, weights, theirs, again)
    gs = gradients(dotori, ys, weights, leaves, again)
    assert_same(gs, hs, rtol, atol, f"gradient of {what}", types=False)
    if not again:
        return
    second = [h for h in hs if getattr(h, "requires_grad", False)]
    if not second:
        return
    weights = weights_for(second, 1)
    h2 = gradients(torch, second, weights, theirs, False)
    ours = [
        g if getattr(g, "requires_grad", False) else None
        for g, h in zip(gs, hs, strict=True)
        if getattr(h, "requires_grad", False)
    ]
    kept = [(g, w) for g, w in zip(ours, weights, strict=True) if g is not None]
    if not kept:
        g2 = [np.zeros(tuple(x.shape)) for x in theirs]
    else:
        g2 = gradients(
            dotori, [g for g, _ in kept], [w for _, w in kept], leaves, False
        )
    assert_same(g2, h2, rtol * 10, atol * 10, f"second gradient of {what}", types=False)


SINGLE = (np.float32, np.complex64)
OTHER_TYPES = [torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in FREE])
def test_types_are_pytorchs(name):
    op = OPS[name]
    without = TYPES_DIFFER.get(name, ("", ""))[0]
    for dtype in OTHER_TYPES:
        if dtype not in op.dtypes or str(dtype).removeprefix("torch.") in without:
            continue
        for i, sample in spread(op.sample_inputs("cpu", dtype)):
            what = f"{dtype} sample {i} of {name}"
            packed = (sample.input, tuple(sample.args), dict(sample.kwargs))
            try:
                x, args, kwargs = to_ours(packed)
            except NotOurs:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    expected = call(op.op, *packed)
                except RuntimeError:
                    continue  # refused by this build of PyTorch
            process = sample.output_process_fn_grad
            try:
                found = process(call(function_of(op), x, args, kwargs))
            except ValueError as error:
                if DELIBERATE.get(name, "-") in str(error):
                    continue
                raise
            expected = process(expected)
            single = any(as_array(z).dtype in SINGLE for z in flat(expected))
            loose = (2e-3, 2e-4) if single else (1e-5, 1e-6)
            assert_same(found, expected, *loose, what)


@pytest.mark.parametrize(
    "name", [n for n in NAMES if OPS[n].error_inputs_func and n not in REFUSALS]
)
def test_what_pytorch_refuses_is_refused(name):
    op = OPS[name]
    for i, case in enumerate(op.error_inputs("cpu")):
        sample = case.sample_input
        packed = (sample.input, tuple(sample.args), dict(sample.kwargs))
        try:
            x, args, kwargs = to_ours(packed)
        except NotOurs:
            continue
        if "out" in kwargs or takes_a_number(case):
            continue
        with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)) as caught:
            call(function_of(op), x, args, kwargs)
            pytest.fail(f"{name}, case {i} ({case.error_regex}) was accepted: {packed}")
        assert str(caught.value), name
