"""Every module of PyTorch's own list that dotori has, on PyTorch's samples.

Built with the same arguments and given the same state: the same text, keys, outputs,
gradients of inputs and parameters, gradients of gradients, and state afterwards, in
training and in evaluation; in float32 an error like PyTorch's; inputs that lie anyhow
in memory; and what PyTorch refuses. What differs on purpose stands in
`module_db_excuses.py` with a reason.
"""

import os
import warnings
from copy import deepcopy

import numpy as np
import pytest

import dotori
from module_db_excuses import (
    ACCEPTED,
    DELIBERATE,
    FIRST_ORDER_ONLY,
    FREE,
    LESS_PRECISE,
    REPR,
    TOLERANCE,
    WITHOUT_GRADIENT,
)
from op_db import (
    NotOurs,
    as_array,
    assert_same,
    flat,
    to_leaves,
    to_ours,
    torch,
)

from torch.testing._internal.common_modules import (  # isort: skip
    FunctionInput,
    ModuleInput,
    module_db,
)

MOST = 6 if os.environ.get("HYPOTHESIS_PROFILE") in ("quick", "ci") else 16
LISTED = {info.name.removeprefix("nn."): info for info in module_db}
NAMES = sorted(name for name in LISTED if hasattr(dotori.nn, name))
MODES = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
LARGEST = 400  # inputs and parameters together, for gradients of gradients

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")


@pytest.fixture(autouse=True)
def plain_attention():
    """PyTorch's other ways of computing attention have no second gradients."""
    attention = torch.nn.attention
    with attention.sdpa_kernel([attention.SDPBackend.MATH]):
        yield


def samples_of(name, dtype, training, most=MOST):
    """Some of PyTorch's samples, numbered."""
    info = LISTED[name]
    torch.manual_seed(0)
    made = info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True, training=training
    )
    places = np.linspace(0, len(made) - 1, min(most, len(made))).round().astype(int)
    return [(i, made[i]) for i in places]


def theirs_of(name, sample, dtype, training):
    """PyTorch's module, and its forward inputs as leaves."""
    leaves, made = [], sample.constructor_input
    module = getattr(torch.nn, name)(*made.args, **deepcopy(made.kwargs))
    module = module.to(dtype).train(training)
    packed = (tuple(sample.forward_input.args), dict(sample.forward_input.kwargs))
    args, kwargs = to_leaves(packed, leaves)
    return module, args, kwargs, leaves


def ours_of(name, sample, dtype, training, state):
    """dotori's, with the same state."""
    leaves, made = [], sample.constructor_input
    module = made_by_us(name, made)
    module = module.to(as_array(torch.zeros(0, dtype=dtype)).dtype).train(training)
    packed = (tuple(sample.forward_input.args), dict(sample.forward_input.kwargs))
    args, kwargs = to_ours(packed, True, leaves)
    if "input" in kwargs:  # whose name is x here
        args = (kwargs.pop("input"), *args)
    if LISTED[name].is_lazy:  # it has its shapes from its first input
        with dotori.no_grad():
            module(*args, **kwargs)
    exchange(module, state)
    return module, args, kwargs, leaves


def made_by_us(name, made):
    """The module, from PyTorch's arguments; a layer among them is made anew."""
    args = tuple(map(same_layer, made.args))
    kwargs = {k: same_layer(v) for k, v in made.kwargs.items()}
    return getattr(dotori.nn, name)(*args, **kwargs)


def same_layer(value):
    if not isinstance(value, torch.nn.TransformerEncoderLayer):
        return to_ours(value)
    return dotori.nn.TransformerEncoderLayer(
        value.linear1.in_features,
        value.self_attn.num_heads,
        value.linear1.out_features,
        value.dropout.p,
        to_ours(value.activation),
        value.norm1.eps,
        value.self_attn.batch_first,
        value.norm_first,
        value.linear1.bias is not None,
    )


def exchange(module, state):
    assert list(module.state_dict()) == list(state), "the keys of the state"
    module.load_state_dict({k: dotori.tensor(v) for k, v in state.items()})


def as_numpy(state):
    return {k: v.detach().numpy().copy() for k, v in state.items()}


class Pair:
    """One sample in both libraries, run forward."""

    def __init__(self, name, sample, dtype=torch.float64, training=True):
        self.name = name
        self.theirs, args, kwargs, self.their_leaves = theirs_of(
            name, sample, dtype, training
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if LISTED[name].is_lazy:
                with torch.no_grad():
                    self.theirs(*args, **kwargs)
            self.start = as_numpy(self.theirs.state_dict())
            self.their_outputs = self.theirs(*args, **kwargs)
        if any(np.isnan(as_array(z)).any() for z in flat(self.their_outputs)):
            raise NotOurs("it tries what is not defined")
        self.ours, args, kwargs, self.our_leaves = ours_of(
            name, sample, dtype, training, self.start
        )
        self.our_outputs = self.ours(*args, **kwargs)
        named = dict(self.theirs.named_parameters())
        for key, p in self.ours.named_parameters():
            self.our_leaves.append(p)
            self.their_leaves.append(named[key])

    def gradients(self, again=False):
        """Of all inputs and parameters, ours and PyTorch's."""
        zs = tracked(self.their_outputs)
        ys = tracked(self.our_outputs)
        assert len(ys) == len(zs), "the number of outputs that have a gradient"
        if not zs or not self.their_leaves or self.name in WITHOUT_GRADIENT:
            return [], []
        weights = weights_for(zs)
        return (
            gradient(dotori, ys, self.our_leaves, weights, again),
            gradient(torch, zs, self.their_leaves, weights, again),
        )


def tracked(outputs):
    return [y for y in flat(outputs) if getattr(y, "requires_grad", False)]


def weights_for(outputs):
    rng = np.random.default_rng(0)
    return [
        rng.standard_normal(tuple(y.shape)).astype(as_array(y).dtype) for y in outputs
    ]


def gradient(library, outputs, leaves, weights, again):
    seeds = [library.tensor(w) for w in weights]
    return library.autograd.grad(
        outputs, leaves, seeds, create_graph=again, allow_unused=True
    )


def filled(found, leaves):
    """Gradients, with zeros where there is none."""
    return [
        np.zeros(tuple(x.shape)) if g is None else as_array(g)
        for g, x in zip(found, leaves, strict=True)
    ]


def tried(name, samples, run):
    """Run all samples that dotori takes, naming the one that fails."""
    seen = 0
    for i, sample in samples:
        what = f"sample {i} of {name} ({sample.desc})"
        try:
            run(sample, what)
        except NotOurs:
            continue
        except ValueError as error:
            if DELIBERATE.get(name, "-") in str(error):
                continue
            raise AssertionError(f"{what}: {error}") from error
        seen += 1
    assert seen, f"no sample of {name} was tried"


@MODES
@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_pytorchs(name, training):
    rtol, atol = TOLERANCE.get(name, (1e-7, 1e-9))

    def run(sample, what):
        pair = Pair(name, sample, training=training)
        if name in FREE:
            for y, z in zip(
                flat(pair.our_outputs), flat(pair.their_outputs), strict=True
            ):
                assert tuple(y.shape) == tuple(z.shape), what
            return
        assert_same(pair.our_outputs, pair.their_outputs, rtol, atol, what)
        size = sum(t.numel() for t in pair.their_leaves)
        again = LISTED[name].supports_gradgrad and name not in FIRST_ORDER_ONLY
        again = again and size <= LARGEST
        gs, hs = pair.gradients(again)
        compare(pair, gs, hs, rtol, atol, f"gradient of {what}")
        if again:
            second_order(pair, gs, hs, rtol * 10, atol * 10, what)
        state = as_numpy(pair.theirs.state_dict())  # running means
        found = pair.ours.state_dict()
        assert_same(list(found.values()), list(state.values()), rtol, atol, what)

    tried(name, samples_of(name, torch.float64, training), run)


def compare(pair, gs, hs, rtol, atol, what):
    if gs:
        mine = filled(gs, pair.our_leaves)
        others = filled(hs, pair.their_leaves)
        assert_same(mine, others, rtol, atol, what, types=False)


def second_order(pair, gs, hs, rtol, atol, what):
    """The gradients of random sums of the gradients."""
    kept = [i for i, h in enumerate(hs) if h is not None and h.requires_grad]
    if not kept:
        return
    weights = weights_for([hs[i] for i in kept])
    h2 = gradient(torch, [hs[i] for i in kept], pair.their_leaves, weights, False)
    mine = [
        (gs[i], w)
        for i, w in zip(kept, weights, strict=True)
        if getattr(gs[i], "requires_grad", False)
    ]
    g2 = [None] * len(pair.our_leaves)
    if mine:
        outputs, seeds = zip(*mine, strict=True)
        g2 = gradient(dotori, list(outputs), pair.our_leaves, seeds, False)
    compare(pair, g2, h2, rtol, atol, f"second gradient of {what}")


@pytest.mark.parametrize("name", [n for n in NAMES if n not in FREE])
def test_float32_is_as_exact_as_pytorchs(name):
    """The error against PyTorch's float64, of all samples and gradients together."""
    times = LESS_PRECISE.get(name, (10.0, ""))[0]
    mine, others = [1e-6], [1e-6]

    def run(sample, what):
        pair = Pair(name, sample, torch.float32)
        gs, hs = pair.gradients()
        exact = exact_of(name, sample, pair)
        ours = [as_array(y) for y in flat(pair.our_outputs)]
        theirs = [as_array(y) for y in flat(pair.their_outputs)]
        for y, z in zip(ours, theirs, strict=True):
            assert y.dtype == z.dtype, f"{what}: {y.dtype}, wanted {z.dtype}"
        ours += filled(gs, pair.our_leaves) if gs else []
        theirs += filled(hs, pair.their_leaves) if gs else []
        for y, z, e in zip(ours, theirs, exact, strict=True):
            scale = np.abs(e).max(initial=1e-3)
            if np.isfinite(scale):
                mine.append(np.abs(y - e).max(initial=0) / scale)
                others.append(np.abs(z - e).max(initial=0) / scale)

    tried(name, samples_of(name, torch.float32, True), run)
    assert max(mine) <= times * max(others)


def exact_of(name, sample, pair):
    """What PyTorch's module gives in float64 for the same numbers."""
    wide = ModuleInput(widened(sample.constructor_input), widened(sample.forward_input))
    module, args, kwargs, leaves = theirs_of(name, wide, torch.float64, True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if LISTED[name].is_lazy:
            with torch.no_grad():
                module(*args, **kwargs)
        state = {k: torch.tensor(v) for k, v in pair.start.items()}
        module.load_state_dict(state)
        outputs = module(*args, **kwargs)
    leaves += list(module.parameters())
    zs = tracked(outputs)
    found = [as_array(y) for y in flat(outputs)]
    if not zs or not leaves or name in WITHOUT_GRADIENT:
        return found
    weights = [w.astype(np.float64) for w in weights_for(tracked(pair.their_outputs))]
    return found + filled(gradient(torch, zs, leaves, weights, False), leaves)


def widened(value):
    """float32 as float64."""
    if isinstance(value, torch.Tensor):
        wide = value.detach().double() if value.is_floating_point() else value
        return wide.requires_grad_(value.requires_grad)
    if isinstance(value, FunctionInput):
        return FunctionInput(*widened(value.args), **widened(value.kwargs))
    if isinstance(value, (list, tuple)):
        return type(value)(widened(v) for v in value)
    if isinstance(value, dict):
        return {k: widened(v) for k, v in value.items()}
    return torch.float64 if value is torch.float32 else value


def astride(value):
    """Arrays that lie in memory as parts of larger ones, backwards in their axes."""
    if isinstance(value, dotori.Tensor):
        a = value.array
        if a.ndim == 0:
            return value
        room = np.zeros((*(2 * n for n in a.shape[::-1]),), a.dtype)
        inner = room[(slice(None, None, 2),) * a.ndim].transpose()
        inner[...] = a
        return dotori.from_numpy(inner)
    if isinstance(value, (list, tuple)):
        return type(value)(astride(v) for v in value)
    if isinstance(value, dict):
        return {k: astride(v) for k, v in value.items()}
    return value


@MODES
@pytest.mark.parametrize("name", [n for n in NAMES if n not in FREE])
def test_inputs_may_lie_anyhow_in_memory(name, training):
    def run(sample, what):
        pair = Pair(name, sample, training=training)
        packed = (tuple(sample.forward_input.args), dict(sample.forward_input.kwargs))
        args, kwargs = astride(to_ours(packed))
        args = (*([kwargs.pop("input")] if "input" in kwargs else []), *args)
        pair.ours.load_state_dict(to_tensors(pair.start))
        found = pair.ours(*args, **kwargs)
        assert_same(found, pair.their_outputs, 1e-7, 1e-9, what)

    tried(name, samples_of(name, torch.float64, training, 4), run)


def to_tensors(state):
    return {k: dotori.tensor(v) for k, v in state.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_pytorchs(name):
    if name in REPR:
        pytest.skip(REPR[name])

    def run(sample, what):
        made = sample.constructor_input
        theirs = getattr(torch.nn, name)(*made.args, **made.kwargs)
        ours = made_by_us(name, made)
        text = repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
        if text != f"{name}()":  # PyTorch's losses say nothing
            assert repr(ours) == text, what

    tried(name, samples_of(name, torch.float32, True, 6), run)


REFUSED = [n for n in NAMES if LISTED[n].module_error_inputs_func]


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_refuses_is_refused(name):
    info = LISTED[name]
    cases = info.module_error_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=True
    )
    for i, case in enumerate(cases):
        if ACCEPTED.get(name, ("-",))[0] in case.error_regex:
            continue
        sample = case.module_error_input
        made, given = sample.constructor_input, sample.forward_input
        kinds = (ValueError, TypeError, IndexError, RuntimeError, NotImplementedError)
        with pytest.raises(kinds) as caught:
            module = made_by_us(name, made)
            if given is not None:
                args, kwargs = to_ours((tuple(given.args), dict(given.kwargs)))
                module(*args, **kwargs)
            pytest.fail(f"{name}, case {i} ({case.error_regex}) was accepted")
        assert str(caught.value), name
        if issubclass(case.error_type, TypeError):
            assert isinstance(caught.value, TypeError), f"{name}, case {i}"
