"""State dicts: shared memory, strict loading, files exchanged with PyTorch."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import FormatError, ShapeError


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def values(model):
    return {k: v.array.copy() for k, v in model.state_dict().items()}


def test_state_shares_the_models_memory():
    model = net()
    state = model.state_dict()
    assert not state["0.weight"].requires_grad
    state["0.weight"].array[...] = 7
    assert (model[0].weight.array == 7).all()


def test_every_misfit_is_listed_and_nothing_changes():
    model = net()
    before = values(model)
    state = {k: v + 1 for k, v in before.items()}
    del state["0.bias"]
    state["2.weight"] = np.zeros((2, 5), np.float32)
    state["extra"] = np.zeros(1)
    state["2.bias"] = np.zeros(2, np.complex64).real + 1
    with pytest.raises(ShapeError) as caught:
        model.load_state_dict(state)
    assert str(caught.value) == (
        "the state does not fit Sequential, nothing was loaded:\n"
        "  2.weight has shape (2, 5), wanted (2, 4)\n"
        "  0.bias is missing\n"
        "  extra is unexpected"
    )
    after = values(model)
    assert all(np.array_equal(after[k], before[k]) for k in before)


def test_not_strict_loads_what_fits_and_returns_the_rest():
    model = net()
    result = model.load_state_dict(
        {"0.bias": np.full(4, 5.0), "extra": np.zeros(1)}, strict=False
    )
    assert result.missing_keys == ["0.weight", "2.weight", "2.bias"]
    assert result.unexpected_keys == ["extra"]
    assert (model[0].bias.array == 5).all()
    assert model[0].bias.dtype == np.float32


def test_loading_writes_into_the_memory_that_is_there():
    model = net()
    flat = np.zeros(12, np.float32)
    model[0].weight.data = dotori.tensor(0.0)
    model[0].weight.array = flat.reshape(4, 3)
    state = values(net())
    model.load_state_dict(state)
    assert np.array_equal(flat.reshape(4, 3), state["0.weight"])


def test_loading_is_noticed_by_a_graph_that_needs_the_old_values():
    model = net()
    y = model(dotori.ones(2, 3)).sum()
    model.load_state_dict(values(net()))
    with pytest.raises(dotori.errors.GradientError, match="load_state_dict"):
        y.backward()


def test_assign_takes_over_types():
    model = net()
    state = {k: v.astype(np.float64) for k, v in values(model).items()}
    model.load_state_dict(state, assign=True)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float64)}
    assert all(p.requires_grad for p in model.parameters())


@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.integers(0, 2))
def test_any_nesting_goes_round(sizes, depth):
    def make():
        layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        model = nn.Sequential(*layers)
        for _ in range(depth):
            model = nn.Sequential(nn.ModuleList([nn.ReLU()]), model)
        return model

    one, two = make(), make()
    two.load_state_dict(one.state_dict())
    a, b = values(one), values(two)
    assert list(a) == list(b) == [n for n, _ in one.named_parameters()]
    assert all(np.array_equal(a[k], b[k]) for k in a)


def test_weights_go_through_a_file(tmp_path):
    one, two = net(), net()
    nn.save_weights(one, tmp_path / "w.safetensors", {"by": "test"})
    assert nn.load_weights(two, tmp_path / "w.safetensors") == ([], [])
    a, b = values(one), values(two)
    assert all(np.array_equal(a[k], b[k]) for k in a)


def test_a_damaged_file_changes_nothing(tmp_path):
    model, path = net(), tmp_path / "w.safetensors"
    nn.save_weights(net(), path)
    path.write_bytes(path.read_bytes()[:-5])
    before = values(model)
    with pytest.raises(FormatError):
        nn.load_weights(model, path)
    assert all(np.array_equal(v, before[k]) for k, v in values(model).items())


@pytest.mark.parametrize("direction", ["from PyTorch", "to PyTorch"])
def test_files_are_exchanged_with_pytorch(tmp_path, direction, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the other side")
    files = pytest.importorskip("safetensors.torch", reason="reads files for PyTorch")
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
    ).double()
    ours, path = net().double(), tmp_path / "w.safetensors"
    if direction == "from PyTorch":
        files.save_file(theirs.state_dict(), path)
        nn.load_weights(ours, path)
    else:
        nn.save_weights(ours, path)
        theirs.load_state_dict(files.load_file(path))
    x = rng.standard_normal((5, 3))
    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).detach().array, expected, rtol=1e-7)


def test_tensors_of_pytorch_load_directly():
    torch = pytest.importorskip("torch", reason="PyTorch is the other side")
    theirs, ours = torch.nn.Linear(3, 2), nn.Linear(3, 2)
    ours.load_state_dict(theirs.state_dict())
    assert np.array_equal(ours.weight.array, theirs.weight.detach().numpy())


def test_a_type_that_would_lose_its_fractions_is_refused_before_any_change():
    model = nn.Linear(2, 1)
    model.register_buffer("steps", dotori.tensor([3]))
    state = {"weight": np.zeros((1, 2)), "bias": np.zeros(1), "steps": np.ones(1)}
    before = model.weight.array.copy()
    with pytest.raises(ShapeError, match="steps holds float64, which cannot become"):
        model.load_state_dict(state)
    assert np.array_equal(model.weight.array, before)
