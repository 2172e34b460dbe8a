"""Transformers against PyTorch: weights both ways, masks, orders of norms, and copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import ArgumentError, ShapeError
from dotori.nn.transformer import _is_causal

SIZES = {
    "d_model": 8,
    "nhead": 2,
    "num_encoder_layers": 2,
    "num_decoder_layers": 2,
    "dim_feedforward": 12,
    "dropout": 0.0,
}


@st.composite
def transformers(draw):
    """Arguments of `Transformer`, its inputs, and the masks of a call."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    batch_first, batched = draw(st.booleans()), draw(st.booleans())
    keywords = {
        "activation": draw(st.sampled_from(["relu", "gelu"])),
        "norm_first": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "batch_first": batch_first,
        "layer_norm_eps": draw(st.sampled_from([1e-5, 1e-2])),
    }
    n, source, target = 2, draw(st.integers(1, 4)), draw(st.integers(1, 4))

    def x(length):
        shape = (n, length, 8) if batch_first else (length, n, 8)
        return rng.standard_normal(shape if batched else (length, 8))

    def causal(length):
        kind = draw(st.sampled_from([None, "bool", "float"]))
        hidden = np.triu(np.ones((length, length), bool), 1)
        if kind is None:
            return None
        return hidden if kind == "bool" else np.where(hidden, -np.inf, 0.0)

    def padding(length):
        if not draw(st.booleans()):
            return None
        hidden = rng.random((n, length) if batched else (length,)) < 0.4
        hidden[..., 0] = False  # somebody must be seen
        return hidden

    masks = {
        "src_mask": causal(source),
        "tgt_mask": causal(target),
        "src_key_padding_mask": padding(source),
        "tgt_key_padding_mask": padding(target),
        "memory_key_padding_mask": padding(source),
    }
    for name in ("src", "tgt"):  # PyTorch warns of two kinds of masks
        mask, hidden = masks[f"{name}_mask"], masks[f"{name}_key_padding_mask"]
        if mask is not None and hidden is not None and mask.dtype != bool:
            masks[f"{name}_key_padding_mask"] = np.where(hidden, -np.inf, 0.0)
    return keywords, (x(source), x(target)), masks


def pair(torch, **keywords):
    """Both Transformers in float64, ours with the other's weights."""
    theirs = torch.nn.Transformer(**SIZES, **keywords).double()
    ours = nn.Transformer(**SIZES, **keywords).double()
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({k: dotori.tensor(v) for k, v in state.items()})
    return ours, theirs


@given(transformers())
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_transformer_as_in_torch(drawn):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    torch = oracle.torch
    keywords, inputs, masks = drawn
    ours, theirs = pair(torch, **keywords)
    xs = [dotori.tensor(a, requires_grad=True) for a in inputs]
    ts = [torch.tensor(a, requires_grad=True) for a in inputs]
    y = ours(*xs, **masks)
    z = theirs(
        *ts, **{k: m if m is None else torch.tensor(m) for k, m in masks.items()}
    )
    oracle.same(y, z, 1e-6, 1e-9)
    (y * y).sum().backward()
    (z * z).sum().backward()
    for a, b in zip(xs, ts, strict=True):
        oracle.same(a.grad, b.grad, 1e-5, 1e-8, "gradient of an input")
    wanted = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        oracle.same(p.grad, wanted[name].grad, 1e-5, 1e-8, f"gradient of {name}")


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_weights_go_both_ways_in_safetensors(tmp_path, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the other side")
    from safetensors.torch import load_file, save_file

    theirs = torch.nn.Transformer(**SIZES, batch_first=True).eval()
    ours = nn.Transformer(**SIZES, batch_first=True).eval()
    source, target = (rng.standard_normal((2, n, 8)).astype(np.float32) for n in (3, 4))
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    nn.load_weights(ours, tmp_path / "theirs.safetensors")
    wanted = theirs(torch.tensor(source), torch.tensor(target)).detach().numpy()
    np.testing.assert_allclose(ours(source, target).array, wanted, 1e-4, 1e-5)
    for p in ours.parameters():
        p.array[...] += 0.01
    nn.save_weights(ours, tmp_path / "ours.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    again = theirs(torch.tensor(source), torch.tensor(target)).detach().numpy()
    assert abs(again - wanted).max() > 1e-3
    np.testing.assert_allclose(ours(source, target).array, again, 1e-4, 1e-5)


def test_float32_is_about_as_precise_as_pytorchs(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the measure")
    exact = torch.nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True)
    ours = nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True)
    ours.load_state_dict({k: v.numpy() for k, v in exact.state_dict().items()})
    x = rng.standard_normal((4, 16, 32)).astype(np.float32)
    single = exact(torch.tensor(x)).detach().numpy()
    double = exact.double()(torch.tensor(x).double()).detach().numpy()
    found = ours(dotori.tensor(x)).array
    assert found.dtype == np.float32
    assert abs(found - double).max() <= 10 * abs(single - double).max()


def test_second_order_through_a_layer(rng):
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu", batch_first=True).double()
    x = dotori.tensor(rng.standard_normal((2, 3, 4)), requires_grad=True)
    assert dotori.gradgradcheck(layer, (x,))


def test_encoder_and_decoder_stacks_are_copies_with_a_norm(rng):
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0.0)
    encoder = nn.TransformerEncoder(layer, 3, nn.LayerNorm(8))
    first, second = encoder.layers[0], encoder.layers[1]
    assert first is not layer and first is not second
    for a, b in zip(layer.parameters(), second.parameters(), strict=True):
        np.testing.assert_array_equal(a.array, b.array)
        assert not np.shares_memory(a.array, b.array)
    x = dotori.tensor(rng.standard_normal((5, 2, 8)).astype(np.float32))
    y = x
    for each in encoder.layers:
        y = each(y)
    np.testing.assert_array_equal(encoder(x).array, encoder.norm(y).array)
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 12, 0.0), 2)
    z = decoder.layers[1](decoder.layers[0](x, y), y)
    np.testing.assert_array_equal(decoder(x, y).array, z.array)


@pytest.mark.parametrize("as_bool", [True, False])
def test_what_comes_after_changes_nothing_under_a_causal_mask(as_bool, rng):
    encoder = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), 2
    )
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    mask = mask == -np.inf if as_bool else mask
    x = rng.standard_normal((1, 6, 8)).astype(np.float32)
    y = encoder(x, mask).array
    x[:, 4:] = 7.0
    z = encoder(x, mask).array
    np.testing.assert_allclose(y[:, :4], z[:, :4], rtol=1e-5, atol=1e-6)
    assert abs(y[:, 4:] - z[:, 4:]).max() > 0.01
    hinted = encoder(x, mask, is_causal=False).array
    np.testing.assert_allclose(z, hinted, rtol=1e-5, atol=1e-6)


def test_a_causal_mask_is_known_by_its_looks():
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    assert _is_causal(mask) and _is_causal(mask == -np.inf)
    assert not _is_causal(None) and not _is_causal(mask[:3])
    assert not _is_causal(dotori.zeros(4, 4)) and not _is_causal(mask.T)


def test_what_is_padded_changes_nothing(rng):
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
    x = rng.standard_normal((1, 6, 8)).astype(np.float32)
    hidden = np.array([[False] * 4 + [True] * 2])
    y = layer(x, src_key_padding_mask=hidden).array
    x[:, 4:] = 7.0
    z = layer(x, src_key_padding_mask=hidden).array
    np.testing.assert_allclose(y[:, :4], z[:, :4], rtol=1e-5, atol=1e-6)


def test_dropout_is_at_work_while_training_alone(rng):
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0.3)
    x = dotori.tensor(rng.standard_normal((5, 2, 8)).astype(np.float32))
    assert (layer(x).array != layer(x).array).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x).array, layer(x).array)
    layer.train()
    runs = []
    for _ in range(2):
        dotori.manual_seed(3)
        runs.append(layer(x).array)
    np.testing.assert_array_equal(*runs)


def test_activations_of_ones_own():
    layer = nn.TransformerEncoderLayer(8, 2, 12, activation=dotori.tanh)
    assert layer.activation is dotori.tanh
    given_module = nn.TransformerDecoderLayer(8, 2, 12, activation=nn.SiLU())
    assert isinstance(given_module.activation, nn.SiLU)
    with pytest.raises(ArgumentError, match="'relu', 'gelu' or a function, got 'elu'"):
        nn.TransformerEncoderLayer(8, 2, 12, activation="elu")


def test_an_encoder_of_ones_own():
    model = nn.Transformer(8, 2, 1, 1, 12, custom_encoder=Doubling())
    assert isinstance(model.encoder, Doubling)
    assert model(dotori.ones(3, 1, 8), dotori.ones(2, 1, 8)).shape == (2, 1, 8)


class Doubling(nn.Module):
    def forward(self, src, **masks):
        return src * 2


def test_weights_start_from_xaviers_distribution():
    dotori.manual_seed(0)
    model = nn.Transformer(64, 4, 1, 1, 128)
    for name, p in model.named_parameters():
        if p.ndim == 2:
            bound = (6 / sum(p.shape)) ** 0.5
            assert abs(p.array).max() <= bound, name
            assert p.array.std() == pytest.approx(bound / 3**0.5, rel=0.05), name


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ((3, 2, 8), (3, 1, 8), "one batch size .axis 1., got shapes .3, 2, 8. and"),
        ((3, 2, 7), (3, 2, 8), "the last axes of src and tgt must be 8"),
        ((3, 8), (3, 7), "the last axes of src and tgt must be 8"),
    ],
)
def test_sequences_that_do_not_fit(source, target, said):
    with pytest.raises(ShapeError, match=said):
        nn.Transformer(8, 2, 1, 1, 12)(dotori.ones(*source), dotori.ones(*target))


def test_a_sequence_of_nothing():
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
    assert layer(dotori.zeros(0, 5, 8)).shape == (0, 5, 8)
    assert layer(dotori.zeros(2, 0, 8)).shape == (2, 0, 8)
