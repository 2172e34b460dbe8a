"""Layers with their batch norm multiplied in; and modules made without values."""

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.nn import utils


def with_statistics(norm, rng):
    """Batch norm as after a training: nothing is 0 or 1."""
    for name, tensor in norm.state_dict().items():
        if name != "num_batches_tracked":
            tensor.array[...] = rng.uniform(0.5, 2, tensor.shape)
    return norm.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("cls", "args", "norm", "shape"),
    [
        ("Conv1d", (3, 4, 3), "BatchNorm1d", (2, 3, 7)),
        ("Conv2d", (4, 6, 3, 2, 1, 1, 2), "BatchNorm2d", (2, 4, 6, 6)),
        ("ConvTranspose2d", (3, 4, 3), "BatchNorm2d", (2, 3, 5, 5)),
    ],
)
def test_a_fused_convolution_does_what_both_did(cls, args, norm, shape, bias, affine):
    rng = np.random.default_rng(0)
    conv = getattr(nn, cls)(*args, bias=bias).double().eval()
    bn = getattr(nn, norm)(args[1], affine=affine).double()
    bn = with_statistics(bn, rng)
    x = dotori.tensor(rng.standard_normal(shape))
    before = conv.weight.array.copy()
    fused = utils.fuse_conv_bn_eval(conv, bn, transpose="Transpose" in cls)
    np.testing.assert_allclose(
        fused(x).detach().array, bn(conv(x)).detach().array, rtol=1e-9
    )
    assert type(fused) is type(conv)
    assert fused.weight.requires_grad
    assert fused.bias.requires_grad is bias
    np.testing.assert_array_equal(conv.weight.array, before)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("features", [4, 1])
def test_a_fused_linear_layer_does_what_both_did(bias, features):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rng = np.random.default_rng(0)
    linear = nn.Linear(3, 4, bias=bias).double().eval()
    bn = with_statistics(nn.BatchNorm1d(features).double(), rng)
    fused = utils.fuse_linear_bn_eval(linear, bn)
    theirs = torch.nn.Linear(3, 4, bias=bias).double().eval()
    other = torch.nn.BatchNorm1d(features).double().eval()
    for mine, module in ((linear, theirs), (bn, other)):
        state = {k: torch.tensor(t.array) for k, t in mine.state_dict().items()}
        module.load_state_dict(state)
    wanted = torch.nn.utils.fuse_linear_bn_eval(theirs, other).state_dict()
    for key, value in wanted.items():
        np.testing.assert_allclose(fused.state_dict()[key].array, value.numpy())
    if features == 4:
        x = dotori.tensor(rng.standard_normal((5, 3)))
        np.testing.assert_allclose(
            fused(x).detach().array, bn(linear(x)).detach().array
        )


def test_mistakes_are_named():
    conv, bn = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
    with pytest.raises(ValueError, match=r"call eval\(\) on both"):
        utils.fuse_conv_bn_eval(conv.eval(), bn)
    bare = nn.BatchNorm2d(4, track_running_stats=False).eval()
    with pytest.raises(ValueError, match="no running statistics"):
        utils.fuse_conv_bn_eval(conv, bare)
    with pytest.raises(ValueError, match=r"4 outputs do not go with .* 3 features"):
        utils.fuse_linear_bn_eval(nn.Linear(2, 4).eval(), nn.BatchNorm1d(3).eval())


def test_skip_init_draws_nothing():
    dotori.manual_seed(5)
    before = dotori.get_rng_state()
    made = utils.skip_init(nn.Linear, 3, out_features=2, dtype=np.float64)
    assert (made.weight.shape, made.weight.dtype) == ((2, 3), np.float64)
    assert dotori.get_rng_state() == before


def test_names_that_do_not_exist():
    with pytest.raises(
        AttributeError, match=r"dotori\.nn\.utils.* no attribute 'fuse'"
    ):
        utils.fuse  # noqa: B018
