"""Every operation, found in the registry: a new one without samples fails by existing.

Value and gradients against PyTorch, gradients and second gradients against finite
differences, types, strange memory layouts, empty inputs, and no shared memory.
"""

import importlib
import pkgutil

import numpy as np
import pytest

import dotori
import dotori.ops
from dotori.autograd import apply
from dotori.ops._op import Op, Sample, registry

for module in pkgutil.iter_modules(dotori.ops.__path__):
    importlib.import_module(f"dotori.ops.{module.name}")

OPS = sorted(registry)
# The gradient of Eig exists for losses only that no phase changes.
DIFFERENTIABLE = [
    name for name in OPS if registry[name].differentiable and name != "Eig"
]

# Operations that PyTorch has no function for, and what checks their value instead.
PHASES = "its vectors are free up to a factor; tests/functions/test_linalg_spectral.py"
WITHOUT_TORCH = {
    "Eig": PHASES,
    "Eigh": PHASES,
    "SVD": PHASES,
}


# Operations that read one triangle of a symmetric matrix: their gradient is that of a
# matrix which stays symmetric.
SYMMETRIC = {"Cholesky", "Eigh"}


def samples(name):
    return list(registry[name].samples(np.random.default_rng(7)))


def is_float(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def run(op, inputs, attrs):
    """The outputs of an operation on leaves for the float inputs; and the leaves."""
    leaves = [
        dotori.tensor(x, requires_grad=True) if is_float(x) else x for x in inputs
    ]
    result = apply(op, *leaves, **attrs)
    outputs = list(result) if isinstance(result, tuple) else [result]
    return outputs, leaves


def weighted_sum(outputs, seed=0):
    """One number of all differentiable outputs, with irregular weights."""
    rng = np.random.default_rng(seed)
    total = dotori.tensor(0.0, dtype=np.float64)
    for y in outputs:
        if y.requires_grad:
            parts = dotori.view_as_real(y) if y.dtype.kind == "c" else y
            total = total + (parts * rng.standard_normal(parts.shape)).sum()
    return total


@pytest.mark.parametrize("name", OPS)
def test_has_samples_and_an_oracle(name):
    op = registry[name]
    assert op.samples is not Op.samples, f"{name} brings no samples"
    assert len(samples(name)) > 0
    assert op.__doc__, f"{name} does not say what it computes"
    if op.differentiable and op.torch is None:
        assert name in WITHOUT_TORCH, f"{name} names no function of PyTorch"


def test_an_operation_without_samples_would_fail():
    class Forgotten(Op):
        """y = x."""

        @staticmethod
        def forward(xp, x):
            return x + 0

        @staticmethod
        def backward(xp, dy):
            return dy

    try:
        with pytest.raises(AssertionError, match="Forgotten brings no samples"):
            test_has_samples_and_an_oracle("Forgotten")
        with pytest.raises(TypeError, match="exists already"):
            type("Forgotten", (Op,), dict(Forgotten.__dict__))
    finally:
        del registry["Forgotten"]


def torch_function(op):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    if op.torch is None:
        pytest.skip(f"PyTorch has no {op.__name__}")
    if callable(op.torch):
        return op.torch
    found = torch
    for part in op.torch.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", OPS)
def test_value_and_gradients_are_pytorchs(name):
    op = registry[name]
    function = torch_function(op)
    import torch

    for sample in samples(name):
        outputs, leaves = run(op, sample.inputs, sample.attrs)
        theirs = [
            torch.tensor(x, requires_grad=is_float(x))
            if isinstance(x, np.ndarray)
            else x
            for x in sample.inputs
        ]
        found = function(*theirs, **sample.attrs)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        assert len(found) >= len(outputs)
        rng, pairs = np.random.default_rng(0), []
        for y, z in zip(outputs, found, strict=False):
            assert tuple(z.shape) == y.shape
            np.testing.assert_allclose(
                y.detach().numpy(), z.detach().numpy(), rtol=1e-7, atol=1e-12
            )
            if y.requires_grad:
                weights = rng.standard_normal(y.shape)
                pairs.append((y, z, (weights + 0j if z.is_complex() else weights)))
        if not pairs:
            continue
        dotori.autograd.backward([y for y, _, _ in pairs], [w for *_, w in pairs])
        torch.autograd.backward(
            [z for _, z, _ in pairs], [torch.tensor(w) for *_, w in pairs]
        )
        for ours, other in zip(leaves, theirs, strict=True):
            if isinstance(ours, dotori.Tensor) and other.grad is not None:
                assert ours.grad is not None
                np.testing.assert_allclose(
                    ours.grad.numpy(), other.grad.numpy(), rtol=1e-7, atol=1e-11
                )


def directional_check(function, leaves, rtol, symmetric=False):
    """d/dh f(x + h u) by central differences, against the gradient times u."""
    rng = np.random.default_rng(3)
    chosen = [i for i, x in enumerate(leaves) if isinstance(x, dotori.Tensor)]
    directions = {i: rng.standard_normal(leaves[i].shape) for i in chosen}
    if symmetric:
        directions = {i: u + u.swapaxes(-1, -2) for i, u in directions.items()}
    value = function(leaves)
    if not value.requires_grad:
        return
    grads = dotori.autograd.grad(value, [leaves[i] for i in chosen], allow_unused=True)
    ours = sum(
        float((g.array * directions[i]).sum())
        for g, i in zip(grads, chosen, strict=True)
        if g is not None
    )

    def moved(h):
        shifted = [
            dotori.tensor(x.array + h * directions[i], requires_grad=True)
            if i in directions
            else x
            for i, x in enumerate(leaves)
        ]
        return function(shifted).item()

    h = 1e-6
    numerical = (moved(h) - moved(-h)) / (2 * h)
    assert ours == pytest.approx(numerical, rel=rtol, abs=1e-6)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradient_is_that_of_finite_differences(name):
    op = registry[name]
    for sample in samples(name):
        _, leaves = run(op, sample.inputs, sample.attrs)

        def function(xs, op=op, attrs=sample.attrs):
            result = apply(op, *xs, **attrs)
            return weighted_sum(result if isinstance(result, tuple) else [result])

        directional_check(function, leaves, 1e-5, symmetric=name in SYMMETRIC)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_gradient_is_that_of_finite_differences(name):
    op = registry[name]
    for sample in samples(name):
        _, leaves = run(op, sample.inputs, sample.attrs)
        chosen = [i for i, x in enumerate(leaves) if isinstance(x, dotori.Tensor)]

        def function(xs, op=op, attrs=sample.attrs, chosen=chosen):
            result = apply(op, *xs, **attrs)
            total = weighted_sum(result if isinstance(result, tuple) else [result])
            if not total.requires_grad:
                return total
            grads = dotori.autograd.grad(
                total, [xs[i] for i in chosen], create_graph=True, allow_unused=True
            )
            return weighted_sum([g for g in grads if g is not None], seed=1)

        directional_check(function, leaves, 1e-5, symmetric=name in SYMMETRIC)


def as_float32(x):
    return x.astype(np.float32) if is_float(x) else x


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_float32_stays_float32(name):
    if name == "Cast":
        pytest.skip("changing the type is its purpose")
    op = registry[name]
    for sample in samples(name):
        inputs = [as_float32(x) for x in sample.inputs]
        attrs = {name: as_float32(value) for name, value in sample.attrs.items()}
        outputs, leaves = run(op, inputs, attrs)
        tracked = [y for y in outputs if y.requires_grad]
        for y in tracked:
            assert y.dtype == (np.complex64 if y.dtype.kind == "c" else np.float32)
        if tracked:
            weights = [np.ones(y.shape, y.dtype) for y in tracked]
            dotori.autograd.backward(tracked, weights)
        for x in leaves:
            if isinstance(x, dotori.Tensor) and x.grad is not None:
                assert x.grad.dtype == np.float32


def read_only(x):
    y = x.copy()
    y.flags.writeable = False
    return y


def unaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:]
    y = raw.view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "read-only": read_only,
    "unaligned": unaligned,
    "another byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "a subclass": lambda x: x.view(np.memmap) if x.ndim else x,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", OPS)
def test_layout_of_the_memory_changes_nothing(name, layout):
    op, change = registry[name], LAYOUTS[layout]
    for sample in samples(name):
        plain = run(op, sample.inputs, sample.attrs)[0]
        given = [change(x) if is_float(x) else x for x in sample.inputs]
        kept = [x.tobytes() if is_float(x) else None for x in given]
        tensors = [dotori.as_tensor(x) if is_float(x) else x for x in given]
        result = apply(op, *tensors, **sample.attrs)
        outputs = result if isinstance(result, tuple) else (result,)
        for y, z in zip(plain, outputs, strict=True):
            # Sums may be taken in another order where memory lies in another order.
            np.testing.assert_allclose(z.numpy(), y.detach().numpy(), rtol=1e-13)
        for x, before in zip(given, kept, strict=True):
            assert before is None or x.tobytes() == before, f"{name} changed its input"


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_share_no_memory_with_what_is_saved(name):
    op = registry[name]
    for sample in samples(name):
        outputs, leaves = run(op, sample.inputs, sample.attrs)
        tracked = [y for y in outputs if y.requires_grad]
        if not tracked:
            continue
        dotori.autograd.backward(tracked, [np.ones(y.shape, y.dtype) for y in tracked])
        grads = [x.grad.array for x in leaves if getattr(x, "grad", None) is not None]
        for i, g in enumerate(grads):
            others = grads[:i] + [x.array for x in leaves if hasattr(x, "array")]
            others += [y.array for y in outputs]
            assert not any(np.shares_memory(g, other) for other in others)


@pytest.mark.parametrize("name", OPS)
def test_what_lies_in_the_memory_of_its_input_says_so(name):
    """Otherwise a write into it is lost for the gradient, in silence."""
    op = registry[name]
    if op.views or name == "Move":  # which gives the array itself, if it is there
        return
    for sample in samples(name):
        outputs, leaves = run(op, sample.inputs, sample.attrs)
        for x in leaves:
            if isinstance(x, dotori.Tensor) and x.numel():
                assert not any(np.shares_memory(x.array, y.array) for y in outputs)


def test_samples_are_samples():
    for name in OPS:
        assert all(isinstance(s, Sample) for s in samples(name))
