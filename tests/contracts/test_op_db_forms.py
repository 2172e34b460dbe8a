"""The same operators as methods, in place, and in float32, on PyTorch's samples."""

import warnings

import numpy as np
import pytest

import dotori
from dotori.functions._lazy import RESHAPING
from op_db import (
    NotOurs,
    as_array,
    assert_same,
    call,
    flat,
    function_of,
    real_valued,
    spread,
    to_leaves,
    to_ours,
    torch,
)
from op_db_excuses import DELIBERATE, FREE, LESS_PRECISE

OPS = {name: op for name, op in real_valued().items() if function_of(op)}


def has_method(op):
    return op.method_variant is not None and hasattr(torch.Tensor, op.name)


def samples(op, dtype=torch.float64):
    """Samples as arguments of dotori and of PyTorch."""
    for _, sample in spread(op.sample_inputs("cpu", dtype)):
        packed = (sample.input, tuple(sample.args), dict(sample.kwargs))
        try:
            yield to_ours(packed), packed, sample.output_process_fn_grad
        except NotOurs:
            continue


METHODS = [n for n, op in OPS.items() if has_method(op) and n not in FREE]


@pytest.mark.parametrize("name", METHODS)
def test_the_method_is_the_function(name):
    op = OPS[name]
    method = getattr(dotori.Tensor, op.name, None) or getattr(dotori.ones(1), op.name)
    assert method is not None
    if not callable(getattr(torch.Tensor, op.name)) or torch.float64 not in op.dtypes:
        return
    for i, ((x, args, kwargs), _, process) in enumerate(samples(op)):
        found = process(getattr(x, op.name)(*args, **kwargs))
        wanted = process(call(function_of(op), x, args, kwargs))
        assert_same(found, wanted, 0, 0, f"sample {i} of the method {name}")


IN_PLACE = [
    n
    for n, op in OPS.items()
    if op.inplace_variant and op.name.isidentifier() and n not in FREE
]


@pytest.mark.parametrize("name", IN_PLACE)
def test_the_form_in_place_is_pytorchs(name):
    op = OPS[name]
    form = op.name if op.name.endswith("_") else f"{op.name}_"
    dtype = torch.float64 if torch.float64 in op.dtypes else torch.int64
    tried = 0
    for i, ((x, args, kwargs), packed, _) in enumerate(samples(op, dtype)):
        what = f"sample {i} of {form}"
        leaves = []
        y, more, options = to_leaves(packed, leaves)
        before = y.detach().clone()
        y = y.detach().clone()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                getattr(y, form)(*more, **options)
        except RuntimeError:
            continue  # of a shape that the tensor does not have, or of one memory
        if y.shape != before.shape and form not in RESHAPING:
            continue  # PyTorch's addbmm_ makes the tensor larger
        tried += 1
        memory = x.array
        returned = getattr(x, form)(*args, **kwargs)
        assert returned is x, what
        assert np.shares_memory(x.array, memory) or not x.numel(), what
        assert_same(x, y, 1e-7, 1e-9, what)
    assert tried


EPSILON = 2.0**-23


def largest(value):
    """The largest number among the inputs: results of cancelling are off by its ulp."""
    arrays = [as_array(v) for v in flat(value) if isinstance(v, torch.Tensor)]
    finite = [a[np.isfinite(a)] for a in arrays if a.dtype.kind == "f"]
    return max((float(abs(a).max(initial=0)) for a in finite), default=0.0)


FLOATS = [
    n
    for n, op in OPS.items()
    if n not in FREE and torch.float32 in op.dtypes and torch.float64 in op.dtypes
]


@pytest.mark.parametrize("name", FLOATS)
def test_float32_is_as_precise_as_pytorchs(name):
    """At most ten times PyTorch's own error against its float64, or a few roundings."""
    op = OPS[name]
    allowed = LESS_PRECISE.get(name, (10, ""))[0]
    for i, (ours, packed, process) in enumerate(samples(op, torch.float32)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = process(call(op.op, *packed))
                exact = process(call(op.op, *doubled(packed)))
            except RuntimeError:
                continue
        try:
            found = process(call(function_of(op), *ours))
        except ValueError as error:
            if DELIBERATE.get(name, "-") in str(error):
                continue
            raise
        for a, b, c in zip(flat(found), flat(theirs), flat(exact), strict=True):
            x, y, z = as_array(a), as_array(b), as_array(c)
            if z.dtype.kind not in "fc" or x.dtype == np.float64:
                continue
            with np.errstate(all="ignore"):
                our_error, their_error = abs(x - z), abs(y - z)
                worst = np.nanmax(np.where(np.isfinite(z), their_error, 0), initial=0)
                room = np.maximum(allowed * worst, 4 * EPSILON * abs(z))
                bad = np.isfinite(z) & ~(our_error <= room + EPSILON * largest(packed))
            assert not bad.any(), (
                f"sample {i} of {name}: error {our_error[bad][0]:.3g}, PyTorch's "
                f"{their_error[bad][0]:.3g}, of {z[bad][0]}"
            )


def doubled(value):
    """The same arguments in float64."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.dtype == torch.float32 else value
    if isinstance(value, torch.Size):
        return value
    if value is torch.float32:
        return torch.float64
    if isinstance(value, (list, tuple)):
        return type(value)(doubled(v) for v in value)
    if isinstance(value, dict):
        return {k: doubled(v) for k, v in value.items()}
    return value
