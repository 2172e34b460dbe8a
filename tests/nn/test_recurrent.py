"""RNN, LSTM and GRU against PyTorch's: all arguments, packed, second order, errors."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn.utils.rnn import PackedSequence, pack_padded_sequence

pytestmark = pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not:UserWarning"
)
KINDS = ["RNN", "RELU", "LSTM", "GRU"]
N_IN, N_HIDDEN = 3, 4


def layer(library, kind, **settings):
    """A layer of either library; RELU is an RNN with ReLU."""
    if kind == "RELU":
        return library.RNN(N_IN, N_HIDDEN, nonlinearity="relu", **settings)
    return getattr(library, kind)(N_IN, N_HIDDEN, **settings)


def pair(torch, kind, dtype="float64", **settings):
    """The layer in both libraries, with the same weights."""
    theirs = layer(torch.nn, kind, **settings).to(getattr(torch, dtype))
    ours = layer(nn, kind, **settings).to(np.dtype(dtype))
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    return ours, theirs


def flat(outputs):
    """Output and final states in a row, whatever they are wrapped in."""
    y, final = outputs
    y = y[0] if isinstance(y, tuple) and hasattr(y, "batch_sizes") else y
    return [y, *(final if isinstance(final, tuple) else (final,))]


@st.composite
def cases(draw):
    kind = draw(st.sampled_from(KINDS))
    settings = {
        "num_layers": draw(st.integers(1, 2)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
    }
    if kind == "LSTM":
        settings["proj_size"] = draw(st.sampled_from([0, 2]))
    batch = draw(st.sampled_from([None, 1, 3]))
    time = draw(st.integers(1, 4))
    lengths = None
    if batch and draw(st.booleans()):
        lengths = draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    return kind, settings, batch, time, lengths, draw(st.booleans())


def arrays_of(case, rng):
    """An input and initial states (or none) as arrays."""
    kind, settings, batch, time, _, with_states = case
    shape = (time, N_IN)
    if batch:
        lead = (batch, time) if settings["batch_first"] else (time, batch)
        shape = (*lead, N_IN)
    x = rng.standard_normal(shape)
    if not with_states:
        return [x]
    count = settings["num_layers"] * (2 if settings["bidirectional"] else 1)
    lead = (count, batch) if batch else (count,)
    widths = [settings.get("proj_size") or N_HIDDEN]
    widths += [N_HIDDEN] if kind == "LSTM" else []
    return [x, *(rng.standard_normal((*lead, n)) for n in widths)]


def run(module, case, x, *states, packing=None, packed=False):
    """Output and final states; `packing` is PyTorch's way to have lengths."""
    _, settings, _, time, lengths, _ = case
    hx = None
    if states:
        hx = states[0] if len(states) == 1 else tuple(states)
    if lengths is None:
        return flat(module(x, hx))
    if packing is None:
        return flat(module(x, hx, lengths=lengths))
    first = settings["batch_first"]
    packed = packing.pack_padded_sequence(
        x, lengths, batch_first=first, enforce_sorted=False
    )
    y, final = module(packed, hx)
    y, _ = packing.pad_packed_sequence(y, batch_first=first, total_length=time)
    return flat((y, final))


def same(ours, theirs, what, rtol=1e-9, atol=1e-12):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    np.testing.assert_allclose(ours.numpy(), theirs, rtol, atol, err_msg=what)


BOTH = {"num_layers": 2, "bias": True, "batch_first": True, "bidirectional": True}
ONE = {"num_layers": 1, "bias": False, "batch_first": False, "bidirectional": False}


@settings(deadline=None)
@given(cases(), st.booleans())
@example(("LSTM", {**BOTH, "proj_size": 2}, 3, 4, [1, 4, 2], True), True)
@example(("LSTM", {**ONE, "proj_size": 2}, None, 3, None, True), False)
@example(("LSTM", {**BOTH, "proj_size": 0}, 3, 3, None, True), False)
@example(("GRU", BOTH, 3, 4, [1, 4, 2], True), False)
@example(("GRU", ONE, 2, 3, None, False), False)
@example(("RNN", BOTH, 3, 4, [2, 1, 3], True), True)
@example(("RELU", ONE, 3, 4, [4, 2, 4], True), False)
def test_values_and_gradients_of_both_orders_are_pytorchs(case, packed):
    """With lengths, ours either packs as PyTorch does, or is given the lengths."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rng = np.random.default_rng(5)
    ours, theirs = pair(torch, case[0], **case[1])
    arrays = arrays_of(case, rng)
    xs = [dotori.tensor(a, requires_grad=True) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    ys = run(ours, case, *xs, packing=nn.utils.rnn if packed else None)
    zs = run(theirs, case, *ts, packing=torch.nn.utils.rnn)
    weights = [rng.standard_normal(y.shape) for y in ys]
    for i, (y, z) in enumerate(zip(ys, zs, strict=True)):
        same(y.detach(), z, f"result {i}")

    xs += list(ours.parameters())
    ts += list(theirs.parameters())
    seeds = [dotori.tensor(w) for w in weights]
    fast = dotori.autograd.grad(ys, xs, seeds, retain_graph=True)
    gs = dotori.autograd.grad(ys, xs, seeds, create_graph=True)
    torch_seeds = [torch.tensor(w) for w in weights]
    hs = torch.autograd.grad(zs, ts, torch_seeds, create_graph=True)
    for i, (f, g, h) in enumerate(zip(fast, gs, hs, strict=True)):
        same(f, h, f"gradient {i}")
        same(g.detach(), h, f"gradient {i} by the formula")

    directions = [rng.standard_normal(g.shape) for g in gs]
    pairs = list(zip(gs, hs, directions, strict=True))
    total = sum((g * u).sum() for g, _, u in pairs if g.requires_grad)
    torch_total = sum(
        (h * torch.tensor(u)).sum() for _, h, u in pairs if h.requires_grad
    )
    seconds = dotori.autograd.grad(total, xs, allow_unused=True)
    torch_seconds = torch.autograd.grad(torch_total, ts, allow_unused=True)
    for i, (g, h) in enumerate(zip(seconds, torch_seconds, strict=True)):
        g = dotori.zeros_like(xs[i]).detach() if g is None else g
        h = torch.zeros_like(ts[i]) if h is None else h
        same(g, h, f"second gradient {i}", rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_without_a_graph_are_those_with_one(kind, rng):
    """The fast way back and the formula that is differentiated again."""
    ours = layer(nn, kind, num_layers=2, bidirectional=True).double()
    x = dotori.tensor(rng.standard_normal((5, 3, N_IN)), requires_grad=True)
    inputs = [x, *ours.parameters()]
    for lengths in (None, [2, 5, 4]):
        results = flat(ours(x, lengths=lengths))
        weights = [dotori.tensor(rng.standard_normal(y.shape)) for y in results]
        grads = dotori.autograd.grad(results, inputs, weights, retain_graph=True)
        again = dotori.autograd.grad(results, inputs, weights, create_graph=True)
        for a, b in zip(grads, again, strict=True):
            np.testing.assert_allclose(a.array, b.array, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_that_share_their_weights(kind, rng):
    """The gradient for the second use does not hold that for the first as well."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    library = {"ours": nn, "theirs": torch.nn}
    found = {}
    theirs = getattr(torch.nn, kind if kind != "RELU" else "RNN")(3, 3).double()
    ours = getattr(nn, kind if kind != "RELU" else "RNN")(3, 3).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = rng.standard_normal((4, 2, 3))
    for name, module, to in (
        ("ours", ours, dotori.tensor),
        ("theirs", theirs, torch.tensor),
    ):
        assert library[name]
        y, _ = module(module(to(x))[0])
        grad = (dotori if name == "ours" else torch).autograd.grad
        parameters = list(module.parameters())
        gs = grad((y * y).sum(), parameters, create_graph=True)
        found[name] = grad(sum((g * g).sum() for g in gs), parameters)
    for a, b in zip(found["ours"], found["theirs"], strict=True):
        same(a, b, "second gradient")


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_as_exact_as_pytorchs(kind, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    settings = {"num_layers": 2, "bidirectional": True}
    x = rng.standard_normal((20, 6, N_IN))
    _, exact = pair(torch, kind, **settings)
    ours, theirs = pair(torch, kind, "float32", **settings)
    with torch.no_grad():
        for p, q in zip(exact.parameters(), theirs.parameters(), strict=True):
            p.copy_(q)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    results = []
    for module, to, dtype in (
        (exact, torch.tensor, "float64"),
        (theirs, torch.tensor, "float32"),
        (ours, dotori.tensor, "float32"),
    ):
        y = flat(module(to(x.astype(dtype))))
        sum((part * part).sum() for part in y).backward()
        found = [part.detach().numpy() for part in y]
        results.append([*found, *(p.grad.numpy() for p in module.parameters())])
    for right, torchs, our in zip(*results, strict=True):
        assert our.dtype == np.float32
        scale = np.abs(right).max()
        bound = max(np.abs(torchs - right).max(), 1e-7 * scale)
        assert np.abs(our - right).max() <= 10 * bound


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("proj_size", [0, 2])
def test_weights_travel_both_ways(kind, proj_size, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is the other side")
    files = pytest.importorskip("safetensors.torch", reason="PyTorch's files")
    settings = {"num_layers": 2, "bidirectional": True}
    if proj_size:
        if kind != "LSTM":
            pytest.skip("projections are for LSTM")
        settings["proj_size"] = proj_size
    ours, theirs = layer(nn, kind, **settings), layer(torch.nn, kind, **settings)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    nn.save_weights(ours, tmp_path / "ours.safetensors")
    theirs.load_state_dict(files.load_file(tmp_path / "ours.safetensors"))
    files.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    other = layer(nn, kind, **settings)
    nn.load_weights(other, tmp_path / "theirs.safetensors")
    x = np.ones((4, 2, N_IN), np.float32)
    y, z = ours(dotori.tensor(x))[0], theirs(torch.tensor(x))[0]
    same(y.detach(), z, "output", rtol=1e-5, atol=1e-6)
    assert other(dotori.tensor(x))[0].tolist() == y.tolist()


def test_by_hand():
    """One unit, two steps: tanh(1), then tanh(1 + 0.5 tanh(1))."""
    rnn = nn.RNN(1, 1).double()
    values = {"weight_ih_l0": 1.0, "weight_hh_l0": 0.5}
    for name, p in rnn.named_parameters():
        nn.init.constant_(p, values.get(name, 0.0))
    y, h = rnn(dotori.ones(2, 1, dtype=np.float64))
    first = np.tanh(1.0)
    assert y.ravel().tolist() == pytest.approx([first, np.tanh(1 + 0.5 * first)])
    assert h.item() == y[1, 0].item()


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_beyond_a_length_is_not_read(kind, rng):
    module = layer(nn, kind, bidirectional=True, batch_first=True)
    x = rng.standard_normal((3, 6, N_IN)).astype(np.float32)
    lengths = [2, 6, 4]
    before = flat(module(dotori.tensor(x), lengths=lengths))
    for i, n in enumerate(lengths):
        x[i, n:] = np.nan
        assert not before[0].detach().numpy()[i, n:].any()
    after = flat(module(dotori.tensor(x), lengths=dotori.tensor(lengths)))
    for a, b in zip(before, after, strict=True):
        assert a.tolist() == b.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_in_a_batch_is_the_sequence_alone(kind, rng):
    module = layer(nn, kind, num_layers=2, bidirectional=True).double()
    x = dotori.tensor(rng.standard_normal((6, 3, N_IN)))
    y, *final = flat(module(x, lengths=[2, 6, 4]))
    for i, n in enumerate([2, 6, 4]):
        alone, *end = flat(module(x[:n, i]))
        np.testing.assert_allclose(
            y.detach().numpy()[:n, i], alone.detach().numpy(), rtol=1e-12
        )
        for a, b in zip(final, end, strict=True):
            np.testing.assert_allclose(
                a.detach().numpy()[:, i], b.detach().numpy(), rtol=1e-12
            )


def test_dropout_between_layers_in_training_alone(rng):
    x = dotori.tensor(rng.standard_normal((7, 2, N_IN)).astype(np.float32))
    dotori.manual_seed(0)
    module = nn.GRU(N_IN, N_HIDDEN, num_layers=2, dropout=1.0)
    silent = module(dotori.zeros(7, 2, N_IN))[0]
    lower = module(x)[1][0]
    assert lower.abs().sum().item() > 0
    # With everything dropped, the upper layer reads zeros, whatever came in.
    assert module(x)[0].tolist() == silent.tolist()
    module.eval()
    assert module(x)[0].tolist() != silent.tolist()
    with pytest.warns(UserWarning, match="there is one layer"):
        nn.LSTM(2, 3, dropout=0.5)


def test_initial_values_fill_the_interval():
    dotori.manual_seed(0)
    for p in nn.LSTM(8, 25, proj_size=5).parameters():
        assert -0.2 <= p.min().item() < -0.15
        assert 0.15 < p.max().item() < 0.2


def test_all_weights_and_what_does_nothing():
    module = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    module.flatten_parameters()
    weights = module.all_weights
    assert len(weights) == 4
    assert weights[3][1] is module.weight_hh_l1_reverse
    assert nn.RNN(2, 3, bias=False).all_weights[0][-1].shape == (3, 3)


def test_a_state_carries_over(rng):
    """Two halves with the state between them are one whole."""
    module = nn.LSTM(N_IN, N_HIDDEN, num_layers=2).double()
    x = dotori.tensor(rng.standard_normal((6, 2, N_IN)))
    whole, _ = module(x)
    first, state = module(x[:4])
    second, _ = module(x[4:], state)
    np.testing.assert_allclose(
        dotori.cat([first, second]).detach().numpy(), whole.detach().numpy(), rtol=1e-12
    )


def test_states_in_place_do_not_change_the_output():
    module = nn.GRU(2, 3)
    y, h = module(dotori.ones(4, 1, 2))
    before = y.tolist()
    h.detach().fill_(7.0)
    assert y.tolist() == before


def test_an_empty_batch():
    y, (h, c) = nn.LSTM(2, 3)(dotori.zeros(4, 0, 2))
    assert (y.shape, h.shape, c.shape) == ((4, 0, 3), (1, 0, 3), (1, 0, 3))


def test_other_floats_are_cast_as_by_linear():
    y, h = nn.GRU(2, 3)(np.ones((4, 1, 2)), np.zeros((1, 1, 3)))
    assert y.dtype == h.dtype == np.float32


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (ShapeError, r"2 axes.*\(1, 1, 4, 2\)", lambda m: m(dotori.ones(1, 1, 4, 2))),
        (ShapeError, r"2 features.*of shape \(3,\)", lambda m: m(dotori.ones(4, 1, 3))),
        (ShapeError, r"at least one step", lambda m: m(dotori.ones(0, 1, 2))),
        (
            ShapeError,
            r"initial h must have shape \(1, 5, 3\).*got \(1, 4, 3\)",
            lambda m: m(dotori.ones(4, 5, 2), dotori.ones(1, 4, 3)),
        ),
        (
            ShapeError,
            r"initial h must have shape \(1, 3\)",
            lambda m: m(dotori.ones(4, 2), dotori.ones(1, 1, 3)),
        ),
        (
            ArgumentError,
            "from 1 to 4",
            lambda m: m(dotori.ones(4, 2, 2), lengths=[5, 1]),
        ),
        (ArgumentError, "from 1", lambda m: m(dotori.ones(4, 2, 2), lengths=[4, 0])),
        (ShapeError, "2 integer", lambda m: m(dotori.ones(4, 2, 2), lengths=[4])),
        (ShapeError, "for batches", lambda m: m(dotori.ones(4, 2), lengths=[4])),
    ],
)
def test_mistakes_are_named(error, match, call):
    with pytest.raises(error, match=match):
        call(nn.GRU(2, 3))


def test_mistakes_with_packed_sequences_and_pairs():
    packed = pack_padded_sequence(dotori.ones(4, 2, 2), [4, 2])
    assert isinstance(nn.RNN(2, 3)(packed)[0], PackedSequence)
    with pytest.raises(ArgumentError, match="has its lengths in it"):
        nn.RNN(2, 3)(packed, lengths=[4, 2])
    with pytest.raises(ShapeError, match=r"\(1, 2, 3\)"):
        nn.RNN(2, 3)(packed, dotori.ones(1, 4, 3))
    with pytest.raises(ArgumentError, match=r"pair \(h, c\)"):
        nn.LSTM(2, 3)(dotori.ones(4, 1, 2), dotori.ones(1, 1, 3))
    with pytest.raises(ShapeError, match="initial c"):
        nn.LSTM(2, 3)(
            dotori.ones(4, 1, 2), (dotori.ones(1, 1, 3), dotori.ones(1, 1, 2))
        )


@pytest.mark.parametrize(
    ("error", "arguments", "keywords"),
    [
        (ArgumentError, (2, 0), {}),
        (ArgumentError, (0, 2), {}),
        (ArgumentError, (2, 2, 0), {}),
        (DTypeError, (2.0, 3), {}),
        (DTypeError, (2, 3), {"bias": 1}),
        (DTypeError, (2, 3), {"batch_first": "yes"}),
        (ArgumentError, (2, 3), {"dropout": 1.5}),
        (ArgumentError, (2, 3), {"dropout": True}),
        (ArgumentError, (2, 3), {"proj_size": 3}),
        (ArgumentError, (2, 3), {"proj_size": -1}),
    ],
)
def test_layers_that_cannot_be(error, arguments, keywords):
    with pytest.raises(error):
        nn.LSTM(*arguments, **keywords)


def test_modes_that_cannot_be():
    with pytest.raises(ArgumentError, match="'tanh' or 'relu'"):
        nn.RNN(2, 3, nonlinearity="sigmoid")
    with pytest.raises(ArgumentError, match="mode is one of"):
        nn.RNNBase("ELMAN", 2, 3)
    with pytest.raises(ArgumentError, match="proj_size is for LSTM"):
        nn.RNNBase("GRU", 2, 3, proj_size=1)
