"""Containers as lists and dicts: the same steps on PyTorch's, and the errors."""

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.errors import ArgumentError, AxisError, DTypeError


def keys(model):
    return [(k, tuple(v.shape)) for k, v in model.state_dict().items()]


def row_steps(kind):
    """The state-dict keys after each of a list's methods, on modules that differ."""

    def run(nn):
        made = iter(range(1, 99))

        def new():
            return nn.Linear(next(made), 1)

        row = getattr(nn, kind)(
            *[new(), new(), new()] if kind == "Sequential" else [[new(), new(), new()]]
        )
        yield row
        yield row.append(new())
        yield row.extend([new(), new()])
        row.insert(1, new())
        yield row
        row.insert(
            -1 if kind == "Sequential" else 3, new()
        )  # PyTorch's list takes no -1
        yield row
        row[2] = new()
        row[-1] = new()
        yield row
        yield row[1:4]
        yield row[::-2]
        del row[0]
        yield row
        del row[1:3]
        yield row
        row.pop(0)
        yield row
        more = type(row)() if kind == "ModuleList" else nn.Sequential(new())
        yield row + more
        row += more
        yield row
        if kind == "Sequential":
            yield row * 2
            yield 2 * row
            assert (row * 2)[0] is row[0]
        yield [len(row), len(list(row)), row[-1] is list(row)[-1], row[0] in list(row)]

    return run


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_rows_of_modules(kind):
    torch = pytest.importorskip("torch", reason="PyTorch's containers are the oracle")
    steps = zip(row_steps(kind)(nn), row_steps(kind)(torch.nn), strict=True)
    for ours, theirs in steps:
        if isinstance(ours, list):
            assert ours == theirs
        else:
            assert keys(ours) == keys(theirs)
            assert [n for n, _ in ours.named_modules()] == [
                n for n, _ in theirs.named_modules()
            ]


def test_names_of_a_sequential_stay_in_its_parts():
    model = nn.Sequential({"a": nn.Linear(1, 2), "b": nn.ReLU(), "c": nn.Linear(2, 1)})
    assert list(model[1:]._modules) == ["b", "c"]
    assert model[1:][1] is model.c
    assert model.append(nn.Tanh())[3] is model.get_submodule("3")
    x = np.ones((4, 1), np.float32)
    assert model(x).tolist() == model[1:](model[:1](x)).tolist()


def test_attributes_follow_the_places():
    row = nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.Sigmoid()])
    del row[0]
    assert getattr(row, "0") is row[0] and isinstance(row[0], nn.Tanh)
    assert not hasattr(row, "2") and len(list(row.children())) == 2
    assert isinstance(row.pop(), nn.Sigmoid)


def parameter_list_steps(T):
    row = T.nn.ParameterList([T.ones(1), T.ones(2)])
    yield row
    yield row.extend([T.ones(3), T.nn.Parameter(T.ones(4))])
    row[1] = T.nn.Parameter(T.ones(5))
    yield row
    yield row[1:3]
    row += [T.ones(6)]
    yield row


def parameter_dict_steps(T):
    p = T.nn.ParameterDict({"b": T.ones(1), "a": T.ones(2)})
    yield p
    p["c"] = T.ones(3)
    p["b"] = T.ones(4)
    yield p
    p.update({"a": T.ones(5), "d": T.nn.Parameter(T.ones(6))})
    yield p
    p.update([("e", T.ones(7))])
    yield p
    p.pop("a")
    assert p.popitem()[0] == "e"
    yield p
    del p["c"]
    yield p | {"x": T.ones(8)}
    yield T.nn.ParameterDict({"x": T.ones(8)}) | p
    p |= T.nn.ParameterDict({"y": T.ones(9)})
    yield p
    yield p.copy()
    yield p.fromkeys(["one", "two"], T.ones(2))
    assert p.setdefault("z", T.ones(1)) is p["z"] is p.setdefault("z", T.ones(3))
    yield (
        list(p),
        list(p.keys()),
        [tuple(v.shape) for v in p.values()],
        list(reversed(p)),
        len(p),
    )
    assert (
        p.get("nothing") is None and p.get("z") is p["z"] and "z" in p and "q" not in p
    )
    p.clear()
    yield p


@pytest.mark.parametrize("steps", [parameter_list_steps, parameter_dict_steps])
def test_containers_of_parameters(steps):
    torch = pytest.importorskip("torch", reason="PyTorch's containers are the oracle")
    for ours, theirs in zip(steps(dotori), steps(torch), strict=True):
        if isinstance(ours, tuple):
            assert ours == theirs
        else:
            assert keys(ours) == keys(theirs)
            assert all(
                type(p) is nn.Parameter and p.requires_grad for p in ours.parameters()
            )


def test_module_dict():
    table = nn.ModuleDict([("a", nn.ReLU()), ("b", nn.Tanh())])
    table.update({"b": nn.Sigmoid(), "c": nn.Identity()})
    table.update(nn.ModuleDict({"d": nn.ReLU()}))
    assert list(table) == ["a", "b", "c", "d"] and isinstance(table["b"], nn.Sigmoid)
    popped = table.pop("a")
    assert isinstance(popped, nn.ReLU) and not hasattr(table, "a")
    del table["b"]
    assert list(table.keys()) == ["c", "d"] and len(table) == 2
    table.clear()
    assert len(table) == 0 and list(table.modules()) == [table]


def test_a_parameter_dict_trains():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.ParameterDict({"w": dotori.ones(2), "b": dotori.zeros(1)})

        def forward(self, x):
            return x @ self.weights["w"] + self.weights["b"]

    model = Model()
    model(np.ones((3, 2), np.float32)).sum().backward()
    assert [(n, p.grad.tolist()) for n, p in model.named_parameters()] == [
        ("weights.b", [3.0]),
        ("weights.w", [3.0, 3.0]),
    ]
    assert repr(model.weights) == "ParameterDict(b: (1,), w: (2,))"


def test_mistakes_change_nothing():
    row, table = nn.ModuleList([nn.ReLU()]), nn.ParameterDict({"w": dotori.ones(2)})
    for wrong in (
        lambda: row[1],
        lambda: row.__setitem__(-2, nn.ReLU()),
        lambda: row.__delitem__(1),
        lambda: row.insert(3, nn.ReLU()),
        lambda: nn.ModuleList().pop(),
    ):
        with pytest.raises(AxisError, match="no place"):
            wrong()
    for wrong in (
        lambda: row.insert(0, "ReLU"),
        lambda: row.append(nn.ReLU),
        lambda: table.update({"v": 3.0}),
        lambda: nn.ModuleDict({"a": 1}),
        lambda: nn.ModuleDict(3),
        lambda: nn.ParameterDict(["ab", 3]),
    ):
        with pytest.raises(DTypeError):
            wrong()
    for wrong in (
        lambda: table["v"],
        lambda: table.pop("v"),
        lambda: nn.ParameterDict().popitem(),
    ):
        with pytest.raises(KeyError):
            wrong()
    with pytest.raises(ArgumentError, match="keys"):
        table["keys"] = dotori.ones(1)
    with pytest.raises(ArgumentError, match="positive"):
        nn.Sequential(nn.ReLU()) * 0
    assert len(row) == 1 and list(table) == ["w"]


def test_a_module_goes_to_types_devices_and_as_another_tensor():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    assert model.type(dotori.float64)[0].weight.dtype == np.float64
    assert model.to(dotori.ones(1))[0].weight.dtype == np.float32
    weight = model[0].weight
    assert model.cpu() is model and model[0].weight is weight


def test_a_module_is_replaced_at_its_path():
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    model.set_submodule("0.1", nn.Tanh())
    assert isinstance(model[0][1], nn.Tanh) and len(model[0]) == 2
    with pytest.raises(AttributeError, match="'7'"):
        model.set_submodule("7.1", nn.Tanh())


def test_a_list_says_equal_modules_once():
    layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
    assert repr(layers) == (
        "ModuleList(\n"
        "  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n"
        "  (2): ReLU()\n"
        ")"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"
