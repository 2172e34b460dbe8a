"""PyTorch's own list of operators with its samples, and dotori's function for each."""

import numbers

import numpy as np
import pytest

import dotori

torch = pytest.importorskip("torch", reason="PyTorch brings its list of operators")
pytest.importorskip("expecttest", reason="PyTorch's list of operators imports it")

from torch.testing._internal.common_methods_invocations import op_db

DTYPES = {
    torch.bool: np.dtype(np.bool_),
    torch.uint8: np.dtype(np.uint8),
    torch.int8: np.dtype(np.int8),
    torch.int16: np.dtype(np.int16),
    torch.int32: np.dtype(np.int32),
    torch.int64: np.dtype(np.int64),
    torch.float16: np.dtype(np.float16),
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
    torch.complex64: np.dtype(np.complex64),
    torch.complex128: np.dtype(np.complex128),
}
REAL = (torch.float64, torch.int64)

#: Entries whose function is not the operator but something written round it; what it
#: tries of the operator is in tests/functions/test_linalg_*.py.
WRAPPED = {
    "as_strided (partial_views)",  # of a larger memory, which a copy of a sample loses
    "bfloat16",  # which NumPy does not have: refused, with a message
    "linalg.lstsq (grad_oriented)",
    "linalg.pinv (singular)",
    "pca_lowrank",
    "svd_lowrank",
}


class NotOurs(Exception):
    """A sample that asks for something that dotori does not have by design."""


def title(op):
    """`linalg.norm`, or `norm (nuc)` where PyTorch lists an operator several times."""
    return f"{op.name} ({op.variant_test_name})" if op.variant_test_name else op.name


def real_valued():
    """The entries of PyTorch's list that take real numbers, by title."""
    return {
        title(op): op
        for op in op_db
        if any(d in op.dtypes for d in REAL) and title(op) not in WRAPPED
    }


#: What PyTorch lists without the underline, though it is a method that fills a tensor.
FILLING = ("cauchy", "exponential", "geometric", "log_normal", "uniform")


def function_of(op):
    """dotori's function for an entry of the list; or None."""
    filling = op.name in FILLING or title(op) == "normal (in_place)"
    return resolve(f"{op.name}_" if filling else op.name)


def resolve(name):
    """dotori's function of PyTorch's name, as a function of tensors; or None."""
    if name == "einsum":  # whose samples have the tensors first
        return lambda tensors, equation: dotori.einsum(equation, tensors)
    if name.startswith("nn.functional.embedding"):  # whose samples have the table first
        looked_up = getattr(dotori.nn.functional, name.rpartition(".")[2])
        return lambda table, x, **kwargs: looked_up(x, table, **kwargs)
    if name == "where":  # whose samples have the condition second
        return lambda x, condition, other: dotori.where(condition, x, other)
    found = dotori
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except (AttributeError, ImportError):
            found = None
            break
    if callable(found) and not isinstance(found, type(np)):
        return found
    if "." in name:
        return None
    kind = getattr(dotori.Tensor, name, None)
    if isinstance(kind, property):
        return lambda x: getattr(x, name)
    if kind is None:
        from dotori.functions._lazy import METHODS

        if name not in METHODS:
            return None
    return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)


def to_ours(value, track=False, leaves=None):
    """PyTorch's tensors, dtypes and sizes as dotori's; leaves are collected."""
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.dtype not in DTYPES:
            raise NotOurs(str(value.dtype))
        if value.is_meta or value.ndim > 64:
            raise NotOurs("no NumPy array is without memory, or has so many axes")
        array = value.detach().resolve_conj().resolve_neg().numpy().copy()
        tracked = track and value.requires_grad
        made = dotori.tensor(array, dtype=array.dtype, requires_grad=tracked)
        if tracked and leaves is not None:
            leaves.append(made)
        return made
    if isinstance(value, torch.dtype):
        if value not in DTYPES:
            raise NotOurs(str(value))
        return DTYPES[value]
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, torch.device):
        return "cpu"
    if isinstance(value, torch.nn.Module):
        return getattr(dotori.nn, type(value).__name__)()
    if callable(value):  # a function of PyTorch's tensors
        found = getattr(dotori.nn.functional, getattr(value, "__name__", "-"), None)
        if found is None:
            raise NotOurs(str(value))
        return found
    if isinstance(value, (torch.layout, torch.memory_format, torch.Generator)):
        raise NotOurs(str(value))
    if isinstance(value, (list, tuple)):
        return type(value)(to_ours(v, track, leaves) for v in value)
    if isinstance(value, dict):
        if value.get("dropout_p"):
            raise NotOurs("what is dropped is random")
        return {
            k: to_ours(v, track, leaves)
            for k, v in value.items()
            if v is not torch.preserve_format  # which says nothing
        }
    return value


def to_leaves(value, leaves):
    """The same in PyTorch, as leaves that are collected in the same order."""
    if isinstance(value, torch.Tensor):
        made = value.detach().clone()
        if value.requires_grad:
            leaves.append(made.requires_grad_())
        return made
    if isinstance(value, torch.Size):
        return value
    if isinstance(value, (list, tuple)):
        return type(value)(to_leaves(v, leaves) for v in value)
    if isinstance(value, dict):
        return {k: to_leaves(v, leaves) for k, v in value.items()}
    return value


def call(function, sample_input, args, kwargs):
    if isinstance(sample_input, (list, tuple)) or sample_input is not None:
        return function(sample_input, *args, **kwargs)
    return function(*args, **kwargs)


def flat(value):
    """The tensors and numbers in a result, in order."""
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    if isinstance(value, dict):
        return [x for v in value.values() for x in flat(v)]
    return [] if value is None else [value]


def as_array(value):
    if isinstance(value, dotori.Tensor):
        return value.array
    if isinstance(value, torch.Tensor):
        return value.numpy(force=True)
    return np.asarray(value)


def assert_same(ours, theirs, rtol, atol, what, types=True):
    """Structure, shapes, types and numbers."""
    mine, others = flat(ours), flat(theirs)
    assert len(mine) == len(others), f"{what}: {len(mine)} results, not {len(others)}"
    for i, (a, b) in enumerate(zip(mine, others, strict=True)):
        x, y = as_array(a), as_array(b)
        assert x.shape == y.shape, f"{what} {i}: shape {x.shape}, wanted {y.shape}"
        if types and not isinstance(b, numbers.Number):
            assert x.dtype == y.dtype, f"{what} {i}: {x.dtype}, wanted {y.dtype}"
        np.testing.assert_allclose(
            x, y, rtol=rtol, atol=atol, err_msg=f"{what} {i}", equal_nan=True
        )


def spread(samples, most=30):
    """At most so many of the samples, evenly from the first to the last."""
    found = list(samples)
    step = max(1, -(-len(found) // most))
    step += step > 1 and step % 2 == 0  # even ones would meet the same options again
    return list(enumerate(found))[::step]


def takes_a_number(case):
    """A Python number where PyTorch insists on a tensor; here it does as well."""
    sample = case.sample_input
    values = (sample.input, *sample.args)
    return not case.error_regex and any(isinstance(v, (int, float)) for v in values)
