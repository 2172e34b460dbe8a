"""Strange inputs to operations, in their long form.

    python tools/reliability_ops.py [--short] [--verbose]

The operators are those of PyTorch's own list that dotori has, PyTorch and mpmath are
the oracles. Each row ends as ``name: passed/cases``.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
warnings.simplefilter("ignore")

import mpmath
from torch.testing._internal.opinfo.core import (
    BinaryUfuncInfo,
    ReductionOpInfo,
    UnaryUfuncInfo,
)

import dotori
from dotori.functions._lazy import FUNCTIONS
from dotori.nn import functional as F
from op_db import (
    DTYPES,
    NotOurs,
    as_array,
    call,
    flat,
    function_of,
    real_valued,
    resolve,
    takes_a_number,
    to_ours,
    torch,
)
from op_db_excuses import DELIBERATE, FREE, REFUSALS, STRANGE, TYPES_DIFFER

OPS = {n: op for n, op in real_valued().items() if function_of(op) and n not in FREE}
STRANGE_NUMBERS = [np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e300, -1e300, 1e-300]
STRANGE_SINGLES = [np.nan, np.inf, -np.inf, -0.0, 1e-45, 1e38, -1e38, 1e-38]
Case = tuple[str, bool]
ERRORS = (ValueError, TypeError, IndexError, RuntimeError, OverflowError)


def agree(ours: Any, theirs: Any, rtol: float = 1e-6) -> bool:
    """Equal structure, NaN and infinities in equal places, numbers to `rtol`."""
    mine, others = flat(ours), flat(theirs)
    if len(mine) != len(others):
        return False
    pairs = zip(map(as_array, mine), map(as_array, others), strict=True)
    with np.errstate(all="ignore"):
        return all(
            x.shape == y.shape and np.allclose(x, y, rtol, 1e-300, equal_nan=True)
            for x, y in pairs
        )


def outcome(
    function: Callable[..., Any], *args: Any, **kwargs: Any
) -> tuple[Any, Exception | None]:
    """The value, or the exception if it is one of the documented kinds."""
    try:
        return function(*args, **kwargs), None
    except ERRORS as error:
        return None, error


def packed_sample(sample: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    return sample.input, tuple(sample.args), dict(sample.kwargs)


def strange_numbers(short: bool) -> Iterator[Case]:
    """NaN, infinities, signed zero, subnormal and extreme numbers, beside PyTorch's."""
    for name, op in OPS.items():
        if not isinstance(op, (UnaryUfuncInfo, BinaryUfuncInfo)) or name in STRANGE:
            continue
        if op.name.endswith("polygamma"):
            continue  # its number comes first
        for values, dtype in ((STRANGE_NUMBERS, "f8"), (STRANGE_SINGLES, "f4")):
            if (
                getattr(torch, {"f8": "float64", "f4": "float32"}[dtype])
                not in op.dtypes
            ):
                continue
            for value in values:
                x = np.array([value, 1.5], dtype)
                if isinstance(op, UnaryUfuncInfo):
                    inputs = (x,)
                else:
                    inputs = (x, np.array([0.75, value], dtype))
                kwargs: dict[str, Any] = {}
                if isinstance(op, UnaryUfuncInfo):
                    kwargs = op.sample_kwargs("cpu", torch.float64, torch.ones(1))[1]
                theirs, refused = outcome(op.op, *map(torch.tensor, inputs), **kwargs)
                if refused:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    try:
                        found = function_of(op)(*map(dotori.tensor, inputs), **kwargs)
                    except Exception as error:
                        yield f"{name} {value} {dtype}: {error}", False
                        continue
                good = agree(found, theirs, 1e-6 if dtype == "f8" else 1e-4)
                yield f"{name} {value} {dtype}: {found} {theirs}", good


LOSSES: dict[str, Callable[..., Any]] = {
    "cross_entropy": lambda x: F.cross_entropy(x, np.array([0, 1])),
    "nll of log_softmax": lambda x: F.nll_loss(F.log_softmax(x, 1), np.array([0, 1])),
    "bce with logits": lambda x: F.binary_cross_entropy_with_logits(
        x, np.ones((2, 2), x.dtype)
    ),
    "softmax": lambda x: F.softmax(x, 1)[:, 0].sum(),
    "log_softmax": lambda x: F.log_softmax(x, 1).sum(),
    "logsumexp": lambda x: x.logsumexp(1).sum(),
    "sigmoid": lambda x: x.sigmoid().sum(),
    "tanh": lambda x: x.tanh().sum(),
    "softplus": lambda x: F.softplus(x).sum(),
    "silu": lambda x: F.silu(x).sum(),
    "mish": lambda x: F.mish(x).sum(),
    "gelu": lambda x: F.gelu(x).sum(),
    "elu": lambda x: F.elu(x).sum(),
    "selu": lambda x: F.selu(x).sum(),
    "logsigmoid": lambda x: F.logsigmoid(x).sum(),
    "norm": lambda x: (x * 1e-6).norm(dim=1).sum(),
    "normalize": lambda x: F.normalize(x).sum(),
    "huber": lambda x: F.huber_loss(x, np.zeros((2, 2), x.dtype)),
    "l1": lambda x: F.l1_loss(x, np.zeros((2, 2), x.dtype)),
}
LOGITS = [0.0, 1e4, -1e4, 100.0, -100.0, 1e-30]


def losses_at_the_ends(short: bool) -> Iterator[Case]:
    """Finite values and gradients, and no warning, for logits of +-1e4 in float32."""
    for name, loss in LOSSES.items():
        for a in LOGITS:
            for b in LOGITS:
                x = dotori.tensor(np.array([[a, b], [b, a]], "f4"), requires_grad=True)
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    y = loss(x)
                    y.backward()
                good = np.isfinite(y.item()) and np.isfinite(x.grad.numpy()).all()
                yield f"{name} {a} {b}: {y.item()} {x.grad.tolist()}", bool(good)


PRECISE: dict[str, tuple[Callable[..., Any], float, float]] = {
    "exp": (mpmath.exp, -80, 80),
    "exp2": (lambda x: mpmath.mpf(2) ** x, -100, 100),
    "expm1": (mpmath.expm1, -10, 80),
    "log": (mpmath.log, 1e-6, 1e6),
    "log2": (lambda x: mpmath.log(x, 2), 1e-6, 1e6),
    "log10": (mpmath.log10, 1e-6, 1e6),
    "log1p": (mpmath.log1p, -0.99, 1e3),
    "sqrt": (mpmath.sqrt, 0, 1e6),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), 1e-6, 1e6),
    "reciprocal": (lambda x: 1 / x, 1e-3, 1e3),
    "square": (lambda x: x * x, -1e3, 1e3),
    "sin": (mpmath.sin, -100, 100),
    "cos": (mpmath.cos, -100, 100),
    "tan": (mpmath.tan, -100, 100),
    "asin": (mpmath.asin, -1, 1),
    "acos": (mpmath.acos, -1, 1),
    "atan": (mpmath.atan, -100, 100),
    "sinh": (mpmath.sinh, -80, 80),
    "cosh": (mpmath.cosh, -80, 80),
    "tanh": (mpmath.tanh, -10, 10),
    "asinh": (mpmath.asinh, -100, 100),
    "acosh": (mpmath.acosh, 1, 100),
    "atanh": (mpmath.atanh, -0.99, 0.99),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), -80, 80),
    "erf": (mpmath.erf, -5, 5),
    "erfc": (mpmath.erfc, -5, 8),
    "erfinv": (mpmath.erfinv, -0.999, 0.999),
    "lgamma": (lambda x: mpmath.log(abs(mpmath.gamma(x))), 0.01, 60),
    "digamma": (mpmath.digamma, 0.01, 60),
    "i0": (lambda x: mpmath.besseli(0, x), -20, 20),
    "special.i1": (lambda x: mpmath.besseli(1, x), -20, 20),
    "special.ndtr": (mpmath.ncdf, -5, 5),
    "special.ndtri": (
        lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
        0.001,
        0.999,
    ),
    "special.erfcx": (lambda x: mpmath.exp(x * x) * mpmath.erfc(x), -4, 20),
    "special.entr": (lambda x: -x * mpmath.log(x), 1e-6, 100),
    "sinc": (mpmath.sincpi, -20, 20),
    "logit": (lambda p: mpmath.log(p / (1 - p)), 0.001, 0.999),
    "deg2rad": (mpmath.radians, -360, 360),
    "rad2deg": (mpmath.degrees, -7, 7),
    "special.log_ndtr": (lambda x: mpmath.log(mpmath.ncdf(x)), -8, 3),
}


def precision(short: bool) -> Iterator[Case]:
    """float32 within 4 units in the last place of 50 exact digits, on random points."""
    mpmath.mp.dps = 50
    n = 100 if short else 10_000
    for name, (exact, low, high) in PRECISE.items():
        rng = np.random.default_rng(0)
        x = rng.uniform(low, high, n).astype(np.float32)
        y = resolve(name)(dotori.tensor(x)).numpy().astype(np.float64)
        z = np.array([float(exact(mpmath.mpf(float(v)))) for v in x])
        ulp = np.spacing(np.maximum(abs(z), 2.0**-126).astype(np.float32))
        worst = float(np.max(abs(y - z) / ulp))
        yield (
            f"{name}: {worst:.2f} units at {x[np.argmax(abs(y - z) / ulp)]}",
            worst <= 4,
        )


def long_sums(short: bool) -> Iterator[Case]:
    """Reductions of many float32 numbers: relative error at most 1e-5."""
    n = 10**6 if short else 10**7
    x = np.random.default_rng(1).uniform(0, 1, n).astype(np.float32)
    d, t = x.astype(np.float64), dotori.tensor(x)
    sums = {
        "sum": (t.sum(), d.sum()),
        "mean": (t.mean(), d.mean()),
        "var": (t.var(), d.var(ddof=1)),
        "std": (t.std(), d.std(ddof=1)),
        "norm": (t.norm(), np.sqrt((d * d).sum())),
        "logsumexp": (t.logsumexp(0), np.log(np.exp(d).sum())),
        "sum of columns": (t.reshape(-1, 2).sum(0), d.reshape(-1, 2).sum(0)),
        "mse_loss": (F.mse_loss(t, 1 - t), ((2 * d - 1) ** 2).mean()),
    }
    for name, (found, exact) in sums.items():
        error = float(np.max(abs(found.numpy() - exact) / abs(exact)))
        yield f"{name}: {error:.2e}", error <= 1e-5


SHAPES = [(0,), (0, 3), (3, 0), (), (1,), (1, 1)]


def small_shapes(short: bool) -> Iterator[Case]:
    """Empty tensors, tensors of no axes and of axes of length 1: as PyTorch."""
    for name, op in OPS.items():
        kinds = (UnaryUfuncInfo, BinaryUfuncInfo, ReductionOpInfo)
        if not isinstance(op, kinds) or torch.float64 not in op.dtypes:
            continue
        for shape in SHAPES:
            x = np.full(shape, 0.5)
            inputs = (x, x) if isinstance(op, BinaryUfuncInfo) else (x,)
            along = [{"dim": -1}] if isinstance(op, ReductionOpInfo) else []
            for options in [{}, *along]:
                theirs, refused = outcome(op.op, *map(torch.tensor, inputs), **options)
                ours = map(dotori.tensor, inputs)
                found, error = outcome(function_of(op), *ours, **options)
                what = f"{name} {shape} {options}: {error or found} not {theirs}"
                alike = bool(error) if refused else not error and agree(found, theirs)
                yield what, alike


def _unaligned(x: Any) -> Any:
    y = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def _read_only(x: Any) -> Any:
    y = x.copy()
    y.flags.writeable = False
    return y


def _on_disk(x: Any) -> Any:
    if not x.size:
        return x
    with tempfile.TemporaryFile() as file:
        y = np.memmap(file, x.dtype, "w+", shape=x.shape)
        y[...] = x
    return y


FORMS: dict[str, Callable[[Any], Any]] = {
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "Fortran order": lambda x: np.asfortranarray(x) if x.ndim else x,
    "read-only": _read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "unaligned": _unaligned,
    "a subclass": lambda x: x.view(np.recarray) if x.ndim else x,
    "a memory map": _on_disk,
    "stretched": lambda x: np.broadcast_to(x, (1, *x.shape))[0],
}


def converted(value: Any, change: Callable[[Any], Any], given: list[Any]) -> Any:
    """The tensors of a sample on memory of another form; the arrays are kept."""
    if isinstance(value, dotori.Tensor) and value.dtype.kind == "f":
        array = change(value.array)
        given.append((array, array.tobytes()))
        return dotori.as_tensor(array)
    if isinstance(value, (list, tuple)):
        return type(value)(converted(v, change, given) for v in value)
    if isinstance(value, dict):
        return {k: converted(v, change, given) for k, v in value.items()}
    return value


def memory_forms(short: bool) -> Iterator[Case]:
    """The result does not depend on how memory lies, and the input is not written."""
    for name, op in OPS.items():
        if torch.float64 not in op.dtypes or op.name.endswith("_"):
            continue
        function = function_of(op)
        for i, sample in enumerate(op.sample_inputs("cpu", torch.float64)):
            if i >= (1 if short else 5):
                break
            try:
                packed = to_ours(
                    (sample.input, tuple(sample.args), dict(sample.kwargs))
                )
            except NotOurs:
                continue
            plain, refused = outcome(call, function, *packed)
            for form, change in FORMS.items():
                if name.startswith(STRANGE_MEMORY):
                    continue
                if name in WRITES and form in ("read-only", "stretched"):
                    continue
                given: list[Any] = []
                x, args, kwargs = converted(packed, change, given)
                found, error = outcome(call, function, x, args, kwargs)
                same = bool(refused) == bool(error) and (
                    bool(refused)
                    or agree(
                        sample.output_process_fn_grad(found),
                        sample.output_process_fn_grad(plain),
                        1e-9,
                    )
                )
                kept = all(a.tobytes() == before for a, before in given)
                yield f"{name} {form}: {error}", same and (kept or name in WRITES)


#: What writes new running statistics into its arguments, as it should.
WRITES = ("nn.functional.batch_norm", "nn.functional.instance_norm")

#: What reads the memory itself, so that another form is another question.
STRANGE_MEMORY = ("as_strided", "empty", "new_empty", "view", "stride")


TYPES = {
    "objects": lambda: np.array([1, None], object),
    "text": lambda: np.array(["1", "x"]),
    "bytes": lambda: np.array([b"1"]),
    "dates": lambda: np.array(["2020-01-01"], "M8[D]"),
    "durations": lambda: np.array([1], "m8[s]"),
    "records": lambda: np.zeros(2, [("a", "f4")]),
    "2**64": lambda: [2**64],
    "a dict": lambda: {"a": 1},
    "None": lambda: None,
}


def types(short: bool) -> Iterator[Case]:
    """What is no number is refused by TypeError or ValueError."""
    for name, op in OPS.items():
        if not isinstance(op, (UnaryUfuncInfo, BinaryUfuncInfo, ReductionOpInfo)):
            continue
        if not hasattr(dotori.functions, op.name) and op.name not in FUNCTIONS:
            continue  # a method: there is no tensor of these
        for kind, make in TYPES.items():
            inputs = (make(), 1.0) if isinstance(op, BinaryUfuncInfo) else (make(),)
            try:
                found = function_of(op)(*inputs)
            except (TypeError, ValueError, OverflowError):
                yield f"{name} of {kind}", True
            except Exception as error:
                yield f"{name} of {kind}: {type(error).__name__} {error}", False
            else:
                yield f"{name} of {kind}: {found}", False


def refusals(short: bool) -> Iterator[Case]:
    """The inputs that PyTorch lists as errors raise here as well."""
    for name, op in OPS.items():
        if not op.error_inputs_func or name in REFUSALS:
            continue
        for case in op.error_inputs("cpu"):
            sample = case.sample_input
            try:
                packed = to_ours(
                    (sample.input, tuple(sample.args), dict(sample.kwargs))
                )
            except NotOurs:
                continue
            if "out" in packed[2] or takes_a_number(case):
                continue
            _, error = outcome(call, function_of(op), *packed)
            yield f"{name}: {case.error_regex}", bool(error and str(error))


#: What PyTorch computes in float16 to fewer digits, or into complex halves.
HALF_IS_LESS = (
    "complex",
    "polar",
    "view_as_complex",
    "chalf",
    "matrix_exp",
    "nn.functional.soft_margin_loss",
)


#: Which of equal elements comes first is free, unless a stable order was asked for.
TIES = ("sort", "topk", "kthvalue")


#: What has no meaning in a type: PyTorch's wraps around.
MEANINGLESS = {("nn.functional.margin_ranking_loss", "torch.uint8")}


def _type_differs(name: str, dtype: torch.dtype) -> bool:
    """Resampled uint8, which PyTorch rounds after each axis; other types that differ
    do so in the places of equal elements alone, and are compared here."""
    resampled = name.startswith(("nn.functional.interp", "nn.functional.upsample"))
    return resampled and str(dtype)[6:] in TYPES_DIFFER.get(name, ("",))[0].split()


def number_types(short: bool) -> Iterator[Case]:
    """Every type of number: PyTorch's value and type, or a refusal."""
    for name, op in OPS.items():
        if op.name == "argsort":
            continue  # places alone, which are free where elements are equal
        for dtype in DTYPES:
            if dtype not in op.dtypes or dtype.is_complex or "polygamma" in name:
                continue
            if dtype is torch.float16 and ("fft" in name or name in HALF_IS_LESS):
                continue
            for i, sample in enumerate(op.sample_inputs("cpu", dtype)):
                if i >= (1 if short else 4):
                    break
                theirs = packed_sample(sample)
                try:
                    packed = to_ours(theirs)
                except NotOurs:
                    continue
                process = sample.output_process_fn_grad
                expected, refused = outcome(call, op.op, *theirs)
                if refused:
                    continue
                if (name, str(dtype)) in MEANINGLESS or _type_differs(name, dtype):
                    continue
                found, error = outcome(call, function_of(op), *packed)
                if error:
                    yield (
                        f"{name} {dtype}: {error}",
                        DELIBERATE.get(name, "-") in str(error),
                    )
                    continue
                loose = {torch.float16: 2e-2, torch.float32: 2e-3}.get(dtype, 1e-5)
                results = list(
                    zip(flat(process(found)), flat(process(expected)), strict=True)
                )
                pairs = results[:1] if op.name in TIES else results  # not the places
                good = all(
                    np.allclose(as_array(a), as_array(b), loose, loose, equal_nan=True)
                    and (not isinstance(b, torch.Tensor) or a.dtype == DTYPES[b.dtype])
                    for a, b in pairs
                )
                yield f"{name} {dtype}: {found} / {expected}", good


ROWS = {
    "strange numbers": strange_numbers,
    "losses at the ends": losses_at_the_ends,
    "float32 precision": precision,
    "long sums": long_sums,
    "small shapes": small_shapes,
    "memory forms": memory_forms,
    "number types": number_types,
    "other types": types,
    "refusals": refusals,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the cases")
    parser.add_argument("--verbose", action="store_true", help="print what failed")
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], help="by default all")
    options = parser.parse_args()
    good = True
    for name in options.rows or ROWS:
        cases = list(ROWS[name](options.short))
        failed = [what for what, passed in cases if not passed]
        for what in failed if options.verbose else []:
            print("   ", what[:300])
        print(f"{name}: {len(cases) - len(failed)}/{len(cases)}", flush=True)
        good = good and not failed
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
