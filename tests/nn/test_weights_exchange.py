"""Weights go from dotori to PyTorch and back, by safetensors alone.

Each model is built by one function that is given a library: `dotori.nn` or `torch.nn`.
"""

import numpy as np
import pytest

import dotori
from dotori.nn import load_weights, save_weights

torch = pytest.importorskip("torch", reason="PyTorch is the other side")
files = pytest.importorskip("safetensors.torch", reason="PyTorch's side of the files")


def lstm(library):
    return library.nn.LSTM(
        3, 4, num_layers=2, bidirectional=True, proj_size=2, batch_first=True
    )


def gru(library):
    return library.nn.GRU(3, 4, num_layers=2, bidirectional=True, bias=True)


def transformer(library):
    return library.nn.Transformer(
        d_model=8,
        nhead=2,
        num_encoder_layers=2,
        num_decoder_layers=1,
        dim_feedforward=16,
        batch_first=True,
    )


def resnet(library):
    """A residual network (He and others, 2016) of two stages, for small pictures."""
    nn = library.nn

    class Block(nn.Module):
        def __init__(self, n_in, n_out, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(n_out)
            self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(n_out)
            self.relu = nn.ReLU()
            self.downsample = None
            if stride != 1 or n_in != n_out:
                self.downsample = nn.Sequential(
                    nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
                )

        def forward(self, x):
            skip = x if self.downsample is None else self.downsample(x)
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + skip)

    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        Block(4, 4, 1),
        Block(4, 8, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


MODELS = {
    "lstm": (lstm, [(2, 5, 3)]),
    "gru": (gru, [(5, 2, 3)]),
    "transformer": (transformer, [(2, 5, 8), (2, 4, 8)]),
    "resnet": (resnet, [(2, 3, 12, 12)]),
}


def inputs(shapes):
    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def first(outputs):
    return outputs[0] if isinstance(outputs, tuple) else outputs


def used(model, library, arrays):
    """After one run in training, so that running statistics have moved."""
    model.train()
    model(*map(library.tensor, arrays))
    return model.eval()


def same_outputs(ours, theirs, arrays):
    y = first(ours(*map(dotori.tensor, arrays)))
    z = first(theirs(*map(torch.tensor, arrays)))
    np.testing.assert_allclose(
        y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", MODELS)
def test_from_dotori_to_pytorch(name, tmp_path):
    make, shapes = MODELS[name]
    arrays = inputs(shapes)
    dotori.manual_seed(0)
    ours = used(make(dotori), dotori, arrays)
    save_weights(ours, tmp_path / "weights.safetensors")
    theirs = make(torch).eval()
    theirs.load_state_dict(files.load_file(tmp_path / "weights.safetensors"))
    same_outputs(ours, theirs, arrays)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", MODELS)
def test_from_pytorch_to_dotori(name, tmp_path):
    make, shapes = MODELS[name]
    arrays = inputs(shapes)
    torch.manual_seed(0)
    theirs = used(make(torch), torch, arrays)
    files.save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    ours = make(dotori).eval()
    load_weights(ours, tmp_path / "weights.safetensors")
    same_outputs(ours, theirs, arrays)
    assert dict(ours.state_dict()).keys() == theirs.state_dict().keys()


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", MODELS)
def test_there_and_back_nothing_is_lost(name, tmp_path):
    make, shapes = MODELS[name]
    dotori.manual_seed(0)
    ours = used(make(dotori), dotori, inputs(shapes))
    save_weights(ours, tmp_path / "there.safetensors")
    files.save_file(
        files.load_file(tmp_path / "there.safetensors"), tmp_path / "back.safetensors"
    )
    dotori.manual_seed(1)
    back = make(dotori)
    load_weights(back, tmp_path / "back.safetensors")
    for key, value in ours.state_dict().items():
        found = back.state_dict()[key]
        assert found.dtype == value.dtype, key
        np.testing.assert_array_equal(found.numpy(), value.numpy(), err_msg=key)
