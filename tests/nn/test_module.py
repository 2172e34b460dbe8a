"""Modules as PyTorch's: names, orders, hooks, modes, copies; and their errors."""

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import dotori
from dotori import Tensor, nn
from dotori.errors import ArgumentError, DTypeError, ShapeError


def build(nn, parameter, tensor):
    """The same nested model, with shared and absent parts, of either library."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)
            self.scale = parameter([2.0])
            self.register_buffer("mean", tensor([1.0]))
            self.register_buffer("scratch", tensor([0.0]), persistent=False)
            self.register_parameter("none", None)

        def forward(self, x):
            return self.fc(x) * self.scale + self.mean

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([Block(), Block()])
            self.head = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
            self.again = self.blocks[0]
            self.own = parameter([1.0, 2.0])
            self.table = nn.ModuleDict({"b": nn.Linear(2, 2), "a": nn.Identity()})
            self.table["b"].weight = nn.Linear(2, 2).weight
            self.tied = self.own

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return self.table["b"](self.head(x)) * self.own

    return Model()


def ours():
    return build(nn, nn.Parameter, dotori.tensor)


@pytest.fixture
def theirs():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    return build(torch.nn, lambda v: torch.nn.Parameter(torch.tensor(v)), torch.tensor)


def names(pairs):
    return [name for name, _ in pairs]


@pytest.mark.parametrize(
    "walk", ["named_modules", "named_children", "named_parameters", "named_buffers"]
)
def test_walks_in_pytorchs_order(theirs, walk):
    assert names(getattr(ours(), walk)()) == names(getattr(theirs, walk)())


def test_parameters_without_those_below(theirs):
    expected = names(theirs.named_parameters(recurse=False))
    assert names(ours().named_parameters(recurse=False)) == expected


def test_state_dict_keys_and_shapes_are_pytorchs(theirs):
    expected = {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    found = {k: v.shape for k, v in ours().state_dict().items()}
    assert list(found.items()) == list(expected.items())
    assert "again.fc.weight" in found and "blocks.0.scratch" not in found


def test_apply_visits_in_pytorchs_order(theirs):
    def visited(model):
        order = []
        assert model.apply(lambda m: order.append(type(m).__name__)) is model
        return order

    assert visited(ours()) == visited(theirs)


def test_repr_is_pytorchs_tree(theirs):
    assert repr(ours().head) == repr(theirs.head)
    assert repr(ours().table) == repr(theirs.table)


def test_hooks_run_in_order_and_may_replace():
    model, order = nn.Identity(), []
    model.register_forward_pre_hook(lambda m, a: order.append("before 1"))
    model.register_forward_pre_hook(lambda m, a: (a[0] + 1,))
    handle = model.register_forward_hook(lambda m, a, y: order.append("after 1"))
    model.register_forward_hook(lambda m, a, y: y * 10)
    assert model(dotori.tensor(1.0)).item() == 20
    assert order == ["before 1", "after 1"]
    handle.remove()
    handle.remove()
    assert model(dotori.tensor(1.0)).item() == 20
    assert order == ["before 1", "after 1", "before 1"]


def test_a_hook_stays_when_its_handle_is_dropped():
    model, calls = nn.Identity(), []
    for i in range(20):
        model.register_forward_hook(lambda m, a, y, i=i: calls.append(i))
        gc.collect()
    model(dotori.ones(1))
    assert calls == list(range(20))


def test_train_eval_and_freezing_reach_everything_below():
    model = ours()
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert all(m.training for m in model.train().modules())
    model.requires_grad_(False)
    assert not any(p.requires_grad for p in model.parameters())


def test_zero_grad_forgets_or_fills():
    layer = nn.Linear(2, 1)
    layer(dotori.ones(3, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0, 0]]
    layer.zero_grad()
    assert layer.weight.grad is None


def test_types_change_in_place():
    model = ours()
    weight = model.head[0].weight
    assert model.double() is model
    assert model.head[0].weight is weight
    assert {t.dtype for t in (*model.parameters(), *model.buffers())} == {
        np.dtype(np.float64)
    }
    assert model.tied is model.own
    with pytest.raises(DTypeError, match="cannot become int64"):
        model.to(np.int64)


def test_attributes_move_between_homes():
    m = nn.Module()
    m.x = nn.Parameter([1.0])
    m.x = nn.Identity()
    assert names(m.named_parameters()) == [] and names(m.named_children()) == ["x"]
    m.x = None
    assert m.x is None and list(m.children()) == []
    del m.x
    assert not hasattr(m, "x")
    m.register_buffer("b", dotori.ones(1), persistent=False)
    del m.b
    m.register_buffer("b", dotori.ones(1))
    assert list(m.state_dict()) == ["b"]


def test_assigning_too_early_is_named():
    class Early(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(1, 1)

    class EarlyBuffer(nn.Module):
        def __init__(self):
            self.register_buffer("mean", dotori.ones(1))

    with pytest.raises(ArgumentError, match=r"Early: call super\(\).__init__\(\)"):
        Early()
    with pytest.raises(ArgumentError, match=r"EarlyBuffer: call super\(\)"):
        EarlyBuffer()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.add_module("a.b", nn.Identity()), ArgumentError),
        (lambda m: m.add_module("", nn.Identity()), ArgumentError),
        (lambda m: m.add_module("forward", nn.Identity()), ArgumentError),
        (lambda m: m.add_module("x", nn.Identity), DTypeError),
        (lambda m: m.register_parameter("x", dotori.ones(1)), DTypeError),
        (lambda m: m.register_buffer("x", [1.0]), DTypeError),
        (lambda m: m.register_buffer("p", dotori.ones(1)), ArgumentError),
        (lambda m: setattr(m, "p", 3), DTypeError),
        (lambda m: m.get_submodule("no.way"), AttributeError),
        (lambda m: m.get_parameter("no"), AttributeError),
        (lambda m: m.get_buffer("no"), AttributeError),
        (lambda m: m.nothing, AttributeError),
    ],
)
def test_misuse_is_refused(call, error):
    m = nn.Module()
    m.p = nn.Parameter([1.0])
    with pytest.raises(error):
        call(m)
    assert list(m.state_dict()) == ["p"]


def test_paths_lead_to_parts():
    model = ours()
    assert model.get_submodule("") is model
    assert model.get_submodule("blocks.1.fc") is model.blocks[1].fc
    assert model.get_parameter("blocks.1.fc.bias") is model.blocks[1].fc.bias
    assert model.get_buffer("blocks.1.mean") is model.blocks[1].mean


def test_an_error_names_the_path_and_the_shapes():
    inner = nn.Sequential(OrderedDict(fc1=nn.Linear(13, 64), act=nn.ReLU()))
    model = nn.Sequential(OrderedDict(encoder=inner, head=nn.Linear(64, 1)))
    with pytest.raises(ShapeError) as caught:
        model(dotori.ones(32, 12))
    (note,) = caught.value.__notes__
    assert note == (
        "in model.encoder.fc1: Linear(in_features=13, out_features=64, bias=True), "
        "given (32, 12)"
    )


@pytest.mark.parametrize(
    "twin",
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))],
    ids=["deepcopy", "pickle"],
)
def test_copies_compute_the_same_and_share_nothing(twin):
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2))
    model[2].weight = nn.Parameter(np.eye(2, dtype=np.float32))
    model.tied = model[2]
    other, x = twin(model), dotori.ones(4, 3)
    assert other.tied is other[2]
    del other.tied, model.tied
    assert np.array_equal(other(x).detach(), model(x).detach())
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert type(theirs) is nn.Parameter
        assert not np.shares_memory(mine.array, theirs.array)
    other(x).sum().backward()
    assert all(p.grad is not None for p in other.parameters())
    assert all(p.grad is None for p in model.parameters())


def test_a_deep_copy_keeps_shared_parameters_shared():
    other = copy.deepcopy(ours())
    assert other.tied is other.own and other.again is other.blocks[0]


def test_freed_without_the_garbage_collector():
    gc.disable()
    try:
        model = ours()
        y = model(dotori.ones(2, 3))
        refs = [weakref.ref(model), weakref.ref(y), weakref.ref(model.own)]
        y.sum().backward()
        del model, y
        assert [r() for r in refs] == [None] * 3
    finally:
        gc.enable()


def test_numpy_arrays_are_taken_as_they_are():
    y = nn.Sequential(nn.Linear(3, 2))(np.ones((4, 3)))
    assert isinstance(y, Tensor) and y.dtype == np.float32


def test_parameter_lists_register():
    m = nn.ParameterList([dotori.ones(2), nn.Parameter([3.0])])
    assert names(m.named_parameters()) == ["0", "1"]
    assert m[0].requires_grad and len(m) == 2
