"""Parameters computed from others: PyTorch's `parametrize`, weight and spectral norm."""

import copy

import numpy as np
import pytest

import dotori
from dotori import linalg, nn, optim
from dotori.nn import utils
from dotori.nn.utils import parametrizations, parametrize


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T


class Exp(nn.Module):
    def forward(self, x):
        return x.exp()

    def right_inverse(self, y):
        return y.log()


class Product(nn.Module):
    """A matrix of rank one, from two vectors."""

    def forward(self, u, v):
        return u.unsqueeze(-1) * v

    def right_inverse(self, z):
        return z[:, 0], z[0] / z[0, 0]


def layer(*args):
    return nn.Linear(*args).double()


def positive(rows, columns):
    made = layer(columns, rows)
    made.weight.array[...] = np.random.default_rng(0).uniform(1, 2, (rows, columns))
    return made


def test_the_class_stays_and_the_keys_are_pytorchs():
    made = parametrize.register_parametrization(positive(3, 2), "weight", Exp())
    assert type(made) is nn.Linear
    assert list(made.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert [n for n, _ in made.named_parameters()] == list(made.state_dict())
    assert "weight" not in made.__dict__
    assert parametrize.is_parametrized(made)
    assert parametrize.is_parametrized(made, "weight")
    assert not parametrize.is_parametrized(made, "bias")
    assert "(parametrizations): ModuleDict(" in repr(made)
    assert parametrize.type_before_parametrizations(made) is nn.Linear


def test_the_parameter_stays_the_same_object():
    made = positive(3, 2)
    weight, before = made.weight, made.weight.array.copy()
    parametrize.register_parametrization(made, "weight", Exp())
    assert made.parametrizations.weight.original is weight
    np.testing.assert_allclose(made.weight.detach().array, before)
    np.testing.assert_allclose(weight.array, np.log(before))
    parametrize.remove_parametrizations(made, "weight")
    assert made.weight is weight
    np.testing.assert_allclose(weight.array, before)
    assert not parametrize.is_parametrized(made)
    assert list(made.state_dict()) == ["bias", "weight"]


def test_what_was_trained_can_be_left():
    made = parametrize.register_parametrization(positive(3, 2), "weight", Exp())
    trained = made.parametrizations.weight.original.array.copy()
    parametrize.remove_parametrizations(made, "weight", leave_parametrized=False)
    np.testing.assert_array_equal(made.weight.array, trained)


def test_several_tensors_for_one():
    made = parametrize.register_parametrization(
        positive(3, 2), "weight", Product(), unsafe=True
    )
    lists = made.parametrizations.weight
    assert [n for n, _ in lists.named_parameters()] == ["original0", "original1"]
    assert (lists.original0.shape, lists.original1.shape) == ((3,), (2,))
    assert all(isinstance(t, nn.Parameter) for t in lists.originals())
    np.testing.assert_allclose(np.linalg.matrix_rank(made.weight.detach().array), 1)
    with pytest.raises(ValueError, match="there is no single one to leave"):
        parametrize.remove_parametrizations(made, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(made, "weight")
    assert isinstance(made.weight, nn.Parameter)


def test_one_behind_another_and_assignment():
    made = parametrize.register_parametrization(layer(3, 3), "weight", Symmetric())
    parametrize.register_parametrization(made, "weight", Exp())
    w = made.weight.detach().array
    np.testing.assert_array_equal(w, w.T)
    assert (w > 0).all()
    with pytest.raises(ValueError, match="Symmetric has no right_inverse"):
        made.weight = dotori.ones(3, 3, dtype=np.float64)
    other = parametrize.register_parametrization(positive(2, 2), "weight", Exp())
    other.weight = dotori.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=np.float64)
    np.testing.assert_allclose(other.weight.detach().array, [[1, 2], [3, 4]])
    np.testing.assert_allclose(
        other.parametrizations.weight.original.array, np.log([[1, 2], [3, 4]])
    )


def test_gradients_reach_what_is_trained():
    made = parametrize.register_parametrization(positive(1, 2), "weight", Exp())
    x = dotori.tensor([[3.0, 5.0]], dtype=np.float64)
    made(x).sum().backward()
    original = made.parametrizations.weight.original
    np.testing.assert_allclose(original.grad.array, x.array * np.exp(original.array))


def test_a_buffer_and_a_copy():
    module = nn.Module()
    module.register_buffer("scale", dotori.tensor([1.0, 4.0]))
    parametrize.register_parametrization(module, "scale", Exp())
    assert list(module.state_dict()) == ["parametrizations.scale.original"]
    assert not list(module.parameters())
    np.testing.assert_allclose(module.scale.array, [1, 4], rtol=1e-6)
    other = copy.deepcopy(module)
    other.scale = dotori.tensor([2.0, 2.0])
    np.testing.assert_allclose(module.scale.array, [1, 4], rtol=1e-6)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        module.other  # noqa: B018


def test_the_cache_lives_as_long_as_its_block():
    class Counted(Exp):
        times = 0

        def forward(self, x):
            self.times += 1
            return super().forward(x)

    counted = Counted()
    made = parametrize.register_parametrization(positive(2, 2), "weight", counted)
    start = counted.times
    x = dotori.ones(1, 2, dtype=np.float64)
    with parametrize.cached():
        with parametrize.cached():
            made(made(x))
        made(x)
    assert counted.times == start + 1
    made(x)
    assert counted.times == start + 2


def test_a_state_goes_round():
    one, two = (parametrizations.weight_norm(nn.Linear(3, 2)) for _ in range(2))
    two.load_state_dict(one.state_dict())
    np.testing.assert_array_equal(one.weight.detach().array, two.weight.detach().array)


def test_transfer():
    source = parametrizations.weight_norm(layer(3, 2))
    target = parametrize.transfer_parametrizations_and_params(source, layer(3, 2))
    np.testing.assert_array_equal(
        target.weight.detach().array, source.weight.detach().array
    )
    plain = layer(3, 2)
    assert parametrize.transfer_parametrizations_and_params(plain, target) is target


def test_mistakes_are_named():
    class Cut(nn.Module):
        def forward(self, x):
            return x[:1]

    class Single(nn.Module):
        def forward(self, x):
            return x.float()

    made = layer(3, 2)
    for wrong, what in ((Cut(), r"the shape \(2, 3\)"), (Single(), "float64")):
        with pytest.raises(ValueError, match=what):
            parametrize.register_parametrization(made, "weight", wrong)
        assert isinstance(made.weight, nn.Parameter)  # as it was
    with pytest.raises(ValueError, match="no parameter, buffer or parametrized tensor"):
        parametrize.register_parametrization(made, "wait", Exp())
    with pytest.raises(ValueError, match="no parametrization of 'weight'"):
        parametrize.remove_parametrizations(made, "weight")
    parametrize.register_parametrization(made, "weight", Cut(), unsafe=True)
    assert made.weight.shape == (1, 3)


# ------------------------------------------------------------ against PyTorch


def both(make, cls, args, **keywords):
    """The same layer, normalised the same way, in both libraries, of equal state."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    torch.manual_seed(0)
    theirs = make(torch.nn)(getattr(torch.nn, cls)(*args).double(), **keywords)
    ours = make(nn)(getattr(nn, cls)(*args).double(), **keywords)
    state = {key: value.numpy() for key, value in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict(state)
    return ours, theirs


def steps_agree(ours, theirs, shape, steps=3):
    """Values, gradients and states over steps of gradient descent."""
    import torch

    rng = np.random.default_rng(1)
    mine = optim.SGD(ours.parameters(), lr=0.1)
    other = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for _ in range(steps):
        x = rng.standard_normal(shape)
        y, z = ours(dotori.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(
            y.detach().array, z.detach().numpy(), rtol=1e-8, atol=1e-10
        )
        for optimizer, loss in ((mine, (y**2).mean()), (other, (z**2).mean())):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    ours.eval()
    theirs.eval()
    x = rng.standard_normal(shape)
    y, z = ours(dotori.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(
        y.detach().array, z.detach().numpy(), rtol=1e-8, atol=1e-10
    )
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(
            ours.state_dict()[key].array,
            value.numpy(),
            rtol=1e-8,
            atol=1e-10,
            err_msg=key,
        )


LAYERS = [
    ("Linear", (3, 4), (5, 3)),
    ("Conv2d", (3, 4, 3), (2, 3, 6, 6)),
    ("ConvTranspose1d", (3, 4, 3), (2, 3, 6)),
]


@pytest.mark.parametrize(("cls", "args", "shape"), LAYERS, ids=str)
@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("old", [False, True])
def test_weight_norm_is_pytorchs(cls, args, shape, dim, old):
    def make(space):
        if space is nn:
            return utils.weight_norm if old else parametrizations.weight_norm
        from torch.nn.utils import parametrizations as theirs
        from torch.nn.utils import weight_norm

        return weight_norm if old else theirs.weight_norm

    steps_agree(*both(make, cls, args, dim=dim), shape)


@pytest.mark.parametrize(("cls", "args", "shape"), LAYERS, ids=str)
@pytest.mark.parametrize("n_power_iterations", [1, 3])
@pytest.mark.parametrize("old", [False, True])
def test_spectral_norm_is_pytorchs(cls, args, shape, n_power_iterations, old):
    def make(space):
        if space is nn:
            return utils.spectral_norm if old else parametrizations.spectral_norm
        from torch.nn.utils import parametrizations as theirs
        from torch.nn.utils import spectral_norm

        return spectral_norm if old else theirs.spectral_norm

    keywords = {"n_power_iterations": n_power_iterations}
    steps_agree(*both(make, cls, args, **keywords), shape)


@pytest.mark.parametrize("size", [(3, 3), (3, 5), (5, 3)])
@pytest.mark.parametrize("how", [None, "matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("use_trivialization", [True, False])
def test_orthogonal_is_pytorchs(size, how, use_trivialization):
    def make(space):
        if space is nn:
            return parametrizations.orthogonal
        from torch.nn.utils import parametrizations as theirs

        return theirs.orthogonal

    keywords = {"orthogonal_map": how, "use_trivialization": use_trivialization}
    ours, theirs = both(make, "Linear", size, **keywords)
    steps_agree(ours, theirs, (4, size[0]))
    w = ours.weight.detach().array
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-10)


def test_orthogonal_starts_at_an_orthogonal_weight():
    made = layer(4, 4)
    nn.init.orthogonal_(made.weight)
    before = made.weight.array.copy()
    parametrizations.orthogonal(made)
    np.testing.assert_allclose(made.weight.detach().array, before, atol=1e-12)
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    made.weight = dotori.tensor(turned)
    np.testing.assert_allclose(made.weight.detach().array, turned, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_reflections_can_be_assigned(shape):
    made = parametrizations.orthogonal(
        layer(*shape), orthogonal_map="householder", use_trivialization=False
    )
    rng = np.random.default_rng(3)
    q = np.linalg.qr(rng.standard_normal((5, 5)))[0][: shape[1], : shape[0]]
    q = np.linalg.qr(q)[0] if q.shape[0] >= q.shape[1] else np.linalg.qr(q.T)[0].T
    made.weight = dotori.tensor(q)
    found = made.weight.detach().array
    # up to the signs of columns, or rows, that make R positive
    np.testing.assert_allclose(abs(found), abs(q), atol=1e-12)


def test_spectral_norm_bounds_the_stretch():
    made = parametrizations.spectral_norm(layer(6, 5), n_power_iterations=50)
    assert linalg.matrix_norm(made.weight, 2).item() == pytest.approx(1, abs=1e-6)
    vector = nn.Module()
    vector.w = nn.Parameter([3.0, 4.0])
    parametrizations.spectral_norm(vector, "w")
    np.testing.assert_allclose(vector.w.detach().array, [0.6, 0.8], rtol=1e-6)


def test_two_forwards_before_one_backward():
    """As in D(real) - D(fake): each keeps the vectors that it was computed with."""
    made = parametrizations.spectral_norm(layer(3, 2))
    x = dotori.tensor(np.random.default_rng(0).standard_normal((4, 3)))
    (made(x).sum() - made(-x).sum()).backward()
    assert np.isfinite(made.parametrizations.weight.original.grad.array).all()
    old = utils.spectral_norm(layer(3, 2))
    (old(x).sum() - old(-x).sum()).backward()
    assert np.isfinite(old.weight_orig.grad.array).all()


def test_the_new_weight_norm_reads_states_of_the_old():
    old = nn.Sequential(utils.weight_norm(layer(3, 2)))
    new = nn.Sequential(parametrizations.weight_norm(layer(3, 2)))
    new.load_state_dict(old.state_dict())
    x = dotori.tensor(np.random.default_rng(0).standard_normal((4, 3)))
    np.testing.assert_array_equal(new(x).detach().array, old(x).detach().array)


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_removal_leaves_the_value(kind):
    made = getattr(utils, kind)(layer(3, 2))
    x = dotori.tensor(np.random.default_rng(0).standard_normal((4, 3)))
    made(x)
    made.eval()
    before = made(x).detach().array
    with pytest.raises(ValueError, match="is normalised already"):
        getattr(utils, kind)(made)
    getattr(utils, f"remove_{kind}")(made)
    np.testing.assert_allclose(made(x).detach().array, before)
    assert list(made.state_dict()) == ["bias", "weight"]
    assert isinstance(made.weight, nn.Parameter)
    assert made._hooks is None
    with pytest.raises(ValueError, match="is not normalised so"):
        getattr(utils, f"remove_{kind}")(made)


def test_arguments_of_the_norms():
    with pytest.raises(ValueError, match="n_power_iterations must be positive"):
        utils.spectral_norm(layer(3, 2), n_power_iterations=0)
    with pytest.raises(ValueError, match="n_power_iterations must be positive"):
        parametrizations.spectral_norm(layer(3, 2), n_power_iterations=0)
    with pytest.raises(IndexError, match="has no axis 2"):
        parametrizations.spectral_norm(layer(3, 2), dim=2)
    with pytest.raises(ValueError, match="has no parameter or buffer 'wait'"):
        parametrizations.orthogonal(layer(3, 2), "wait")
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        parametrizations.orthogonal(layer(3, 2), "bias")
    with pytest.raises(ValueError, match="got 'qr'"):
        parametrizations.orthogonal(layer(3, 2), orthogonal_map="qr")
    made = parametrizations.orthogonal(layer(3, 2))
    with pytest.raises(ValueError, match=r"has shape \(2, 3\), got \(3, 3\)"):
        made.weight = dotori.ones(3, 3, dtype=np.float64)
