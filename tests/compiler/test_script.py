"""Stand-alone scripts: they need NumPy alone, give what the model gives, and are read."""

import ast
import runpy

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.compiler.script import export_script
from dotori.compiler.script.library import modules
from dotori.compiler.script.text import broken, called_functions
from dotori.errors import ArgumentError
from dotori.nn import functional as F
from numpy_alone import run_alone


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def trained(model, x):
    """The model with running statistics that are not those of the start."""
    model.train()
    model(dotori.tensor(x))
    return model.eval()


def outputs(model, x):
    with dotori.no_grad():
        return model.eval()(dotori.tensor(x)).numpy()


def mlp():
    return nn.Sequential(
        nn.Linear(13, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.GELU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(16 * 7 * 7, 10),
        nn.LogSoftmax(dim=1),
    )


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.inner = nn.Sequential(nn.Linear(8, 8), nn.Tanh())
        self.head = nn.Linear(8, 3, bias=False)

    def forward(self, x):
        h = F.relu(self.first(x))
        h = F.relu(self.inner(h) * 0.5 + h)
        return self.head(h.reshape(len(x), 2, 4).flatten(1))


MODELS = {
    "mlp": (mlp, (5, 13)),
    "cnn": (cnn, (3, 1, 28, 28)),
    "own": (Residual, (4, 6)),
}


@pytest.mark.parametrize("weights", ["npz", "safetensors"])
@pytest.mark.parametrize("name", MODELS)
def test_the_script_alone_gives_what_the_model_gives(name, weights, tmp_path):
    make, shape = MODELS[name]
    dotori.manual_seed(0)
    model = trained(make(), floats(*shape))
    script, stored = export_script(
        model, floats(*shape), tmp_path / f"{name}.py", weights
    )
    assert stored == tmp_path / f"{name}.{weights}" and stored.exists()
    x = floats(2 * shape[0] + 1, *shape[1:], seed=1)  # another number of rows
    np.save(tmp_path / "x.npy", x)
    run_alone(script, tmp_path / "x.npy", tmp_path / "y.npy")
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, outputs(model, x), rtol=0, atol=1e-6)


def test_the_script_shows_something_without_a_file(tmp_path):
    dotori.manual_seed(0)
    script, _ = export_script(mlp(), floats(5, 13), tmp_path / "m.py")
    assert run_alone(script).count("[") == 6  # five rows in one array


def test_a_table_of_numbers_is_read(tmp_path):
    dotori.manual_seed(0)
    model = mlp()
    x = floats(4, 13)
    script, _ = export_script(model, x, tmp_path / "m.py")
    head = ",".join(f"c{i}" for i in range(13))
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header=head, comments="")
    run_alone(script, tmp_path / "x.csv", tmp_path / "y.npy")
    y = np.load(tmp_path / "y.npy")
    np.testing.assert_allclose(y, outputs(model, x), atol=1e-6)


def test_one_line_for_each_layer_and_nothing_for_dropout(tmp_path):
    script, _ = export_script(mlp(), floats(5, 13), tmp_path / "m.py")
    tree = ast.parse(script.read_text())
    functions = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)}
    assert set(functions) == {"linear", "relu", "read_array", "predict", "main"}
    lines = [ast.unparse(node) for node in functions["predict"].body[1:]]
    assert lines == [
        "x = linear(x, W['0.weight'], W['0.bias'])",
        "x = relu(x)",
        "x = linear(x, W['3.weight'], W['3.bias'])",
        "return x",
    ]
    assert all(ast.get_docstring(f) for n, f in functions.items() if n != "main")
    assert max(map(len, script.read_text().splitlines())) <= 88


LAYERS = {
    "ReLU6": (nn.ReLU6(), (4, 5)),
    "LeakyReLU": (nn.LeakyReLU(0.2), (4, 5)),
    "PReLU": (nn.PReLU(3), (4, 3, 5)),
    "RReLU": (nn.RReLU(), (4, 5)),
    "ELU": (nn.ELU(0.7), (4, 5)),
    "CELU": (nn.CELU(1.3), (4, 5)),
    "SELU": (nn.SELU(), (4, 5)),
    "GELU": (nn.GELU(), (4, 5)),
    "GELU tanh": (nn.GELU("tanh"), (4, 5)),
    "SiLU": (nn.SiLU(), (4, 5)),
    "Mish": (nn.Mish(), (4, 5)),
    "Hardswish": (nn.Hardswish(), (4, 5)),
    "Hardsigmoid": (nn.Hardsigmoid(), (4, 5)),
    "Hardtanh": (nn.Hardtanh(-0.4, 0.6), (4, 5)),
    "Softplus": (nn.Softplus(2.0), (4, 5)),
    "Softsign": (nn.Softsign(), (4, 5)),
    "Sigmoid": (nn.Sigmoid(), (4, 5)),
    "LogSigmoid": (nn.LogSigmoid(), (4, 5)),
    "Tanhshrink": (nn.Tanhshrink(), (4, 5)),
    "Softshrink": (nn.Softshrink(0.3), (4, 5)),
    "Hardshrink": (nn.Hardshrink(0.3), (4, 5)),
    "Threshold": (nn.Threshold(0.1, -2.0), (4, 5)),
    "GLU": (nn.GLU(1), (4, 6)),
    "Softmax": (nn.Softmax(1), (4, 3, 5)),
    "Softmin": (nn.Softmin(-1), (4, 5)),
    "Softmax2d": (nn.Softmax2d(), (4, 3, 5, 2)),
    "Linear without bias": (nn.Linear(5, 2, bias=False), (4, 3, 5)),
    "Conv1d": (nn.Conv1d(3, 4, 3, stride=2, padding=1), (4, 3, 9)),
    "Conv2d": (nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2), (4, 4, 9, 7)),
    "Conv2d same": (nn.Conv2d(4, 4, 4, padding="same"), (4, 4, 9, 7)),
    "Conv3d": (nn.Conv3d(2, 3, 2), (4, 2, 4, 5, 3)),
    "ConvTranspose1d": (nn.ConvTranspose1d(3, 4, 3, 2, 1, 1), (4, 3, 5)),
    "ConvTranspose2d": (
        nn.ConvTranspose2d(4, 6, (3, 2), (2, 3), (1, 0), 0, 2, dilation=(2, 1)),
        (4, 4, 5, 3),
    ),
    "MaxPool1d": (nn.MaxPool1d(3, 2), (4, 3, 9)),
    "MaxPool2d": (nn.MaxPool2d(3, 2, 1), (4, 3, 9, 8)),
    "MaxPool2d dilated": (nn.MaxPool2d((2, 3), 1, 0, (1, 2)), (4, 3, 9, 8)),
    "MaxPool3d": (nn.MaxPool3d(2), (4, 3, 4, 5, 6)),
    "AvgPool1d": (nn.AvgPool1d(3, 2), (4, 3, 9)),
    "AvgPool2d": (nn.AvgPool2d(3, 2, 1), (4, 3, 9, 8)),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((3, None)), (4, 3, 8, 5)),
    "AdaptiveMaxPool1d": (nn.AdaptiveMaxPool1d(4), (4, 3, 9)),
    "global mean": (nn.AdaptiveAvgPool2d(1), (4, 3, 8, 5)),
    "BatchNorm1d": (nn.BatchNorm1d(5, eps=1e-3), (4, 5)),
    "BatchNorm2d": (nn.BatchNorm2d(5, affine=False), (4, 5, 3, 2)),
    "LayerNorm": (nn.LayerNorm((3, 5)), (4, 3, 5)),
    "GroupNorm": (nn.GroupNorm(2, 6), (4, 6, 5)),
    "InstanceNorm2d": (nn.InstanceNorm2d(3, affine=True), (4, 3, 5, 6)),
    "RMSNorm": (nn.RMSNorm(5, eps=1e-5), (4, 3, 5)),
    "Unflatten": (nn.Unflatten(1, (2, 3)), (4, 6)),
    "Flatten from 2": (nn.Flatten(2), (4, 2, 3, 5)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, tmp_path):
    layer, shape = LAYERS[name]
    model = trained(nn.Sequential(layer), floats(*shape))
    script, _ = export_script(model, floats(*shape), tmp_path / "layer.py")
    predict = runpy.run_path(str(script))["predict"]
    x = floats(5, *shape[1:], seed=2)
    y = predict(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, outputs(model, x), rtol=1e-5, atol=1e-6)


def test_indices_into_a_table_of_rows(tmp_path):
    model = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2))
    script, _ = export_script(model, np.array([[0, 6]]), tmp_path / "e.py")
    x = np.array([[1, 2], [5, 5], [0, 6]])
    np.save(tmp_path / "x.npy", x)
    run_alone(script, tmp_path / "x.npy", tmp_path / "y.npy")
    y = np.load(tmp_path / "y.npy")
    np.testing.assert_allclose(y, outputs(model, x), atol=1e-6)


def test_several_inputs_and_outputs(tmp_path):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix = nn.Bilinear(3, 4, 5)

        def forward(self, left, right):
            both = self.mix(left, right)
            return {"both": both, "sum": both.sum(dim=1), "left": left}

    model = Two()
    a, b = floats(4, 3), floats(4, 4, seed=1)
    script, _ = export_script(model, (a, b), tmp_path / "two.py")
    found = runpy.run_path(str(script))["predict"](a, b)
    wanted = model(dotori.tensor(a), dotori.tensor(b))
    assert list(found) == ["both", "sum", "left"]
    for key, y in found.items():
        np.testing.assert_allclose(y, wanted[key].numpy(force=True), atol=1e-6)


def test_a_shared_weight_is_stored_once(tmp_path):
    first = nn.Linear(4, 4)
    model = nn.Sequential(first, nn.Tanh(), first)
    _, stored = export_script(model, floats(2, 4), tmp_path / "shared.py")
    with np.load(stored) as arrays:
        assert sorted(arrays) == ["0.bias", "0.weight"]


def test_a_model_stays_in_its_mode(tmp_path):
    model = mlp().train()
    model[0].eval()
    export_script(model, floats(2, 13), tmp_path / "m.py")
    assert [m.training for m in model] == [False, True, True, True]
    assert model[0]._hooks is None or not any(model[0]._hooks)


class OtherWay(nn.Module):
    """Goes another way where the batch is long."""

    def forward(self, x):
        return x * 2 if len(x) > 2 else F.relu(x) + 1


class NoWords(nn.Module):
    def forward(self, x):
        return dotori.linalg.svd(x)[1]


def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(ArgumentError, match="export_script"):
        export_script(NoWords(), floats(2, 3), tmp_path / "m.py")
    assert not list(tmp_path.iterdir())


def test_a_way_that_depends_on_the_rows_is_told_for_these(tmp_path):
    script, _ = export_script(OtherWay(), floats(2, 3), tmp_path / "m.py")
    predict = runpy.run_path(str(script))["predict"]
    x = floats(2, 3)
    np.testing.assert_array_equal(predict(x), np.maximum(x, 0) + 1)
    with pytest.raises(ValueError, match=r"the shape \(2, 3\) is wanted"):
        predict(floats(4, 3))


def test_an_unknown_kind_of_weights(tmp_path):
    with pytest.raises(ArgumentError, match="'npz' or 'safetensors', got 'pickle'"):
        export_script(mlp(), floats(2, 13), tmp_path / "m.py", "pickle")


def test_names_cannot_become_code(tmp_path):
    evil = '"]); print("no'
    model = nn.Sequential()
    model.add_module(evil, nn.Linear(3, 2))
    inner = nn.Sequential()
    inner.add_module("a\nprint(1)", nn.Sequential(nn.Linear(2, 2)))
    model.add_module("inner\n", inner)
    script, _ = export_script(model, floats(2, 3), tmp_path / "evil.py")
    assert run_alone(script).strip().startswith("[[")
    x = floats(3, 3)
    y = runpy.run_path(str(script))["predict"](x)
    np.testing.assert_allclose(y, outputs(model, x), atol=1e-6)


def test_every_function_of_the_library_says_what_it_is():
    functions = [f for m in modules() for f in vars(m).values() if callable(f)]
    own = [f for f in functions if ".library." in (f.__module__ or "")]
    assert len(own) > 60 and all(f.__doc__ for f in own)


def test_functions_bring_those_that_they_call():
    found = "\n".join(called_functions("y = mish(x)"))
    assert found.index("def softplus(x, beta=1.0)") < found.index("def mish(x)")
    assert "def relu" not in found


def test_long_statements_break_at_their_commas_and_not_in_texts():
    text = 'y = f("' + "a, b" * 10 + '", 1, g(2, [3, 4]), "' + "c" * 20 + '")'
    line = broken(text, "(n, 3)")
    assert max(map(len, line.splitlines())) <= 88
    assert ast.dump(ast.parse(line)) == ast.dump(ast.parse(text))


class Reader(nn.Module):
    """A recurrent layer whose last state is read, beside all outputs."""

    def __init__(self, kind, **options):
        super().__init__()
        self.layer = getattr(nn, kind)(3, 4, **options)
        self.head = nn.Linear(8 if options.get("bidirectional") else 4, 2)

    def forward(self, x):
        y, last = self.layer(x)
        return self.head(y), last[-1] if isinstance(last, tuple) else last


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {"nonlinearity": "relu"}),
        ("RNN", {"num_layers": 2, "bias": False}),
        ("GRU", {"batch_first": True, "bidirectional": True}),
        ("LSTM", {"num_layers": 2, "bidirectional": True, "dropout": 0.5}),
    ],
)
def test_recurrent_layers(kind, options, tmp_path):
    dotori.manual_seed(0)
    model = Reader(kind, **options).eval()
    x = floats(5, 5, 3)
    script, _ = export_script(model, x, tmp_path / "reader.py")
    found = runpy.run_path(str(script))["predict"](x)
    with dotori.no_grad():
        wanted = model(dotori.tensor(x))
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_transformer(norm_first, tmp_path):
    class Tiny(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(20, 8)
            layer = nn.TransformerEncoderLayer(
                8, 2, 16, batch_first=True, activation="gelu", norm_first=norm_first
            )
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            return self.head(self.encoder(self.words(x)).mean(dim=1))

    dotori.manual_seed(0)
    model = Tiny().eval()
    x = np.random.default_rng(0).integers(0, 20, (3, 6))
    script, _ = export_script(model, x[:2], tmp_path / "tiny.py")
    y = runpy.run_path(str(script))["predict"](x)
    np.testing.assert_allclose(y, outputs(model, x), rtol=1e-5, atol=1e-6)


class Odd(nn.Module):
    """Operations between layers, told by words or by instructions."""

    def __init__(self, function):
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.function = function

    def forward(self, x):
        return self.function(self.layer(x))


FORWARDS = {
    "arithmetic": lambda h: (h * h - 3) / (h.abs() + 1) ** 2 - (1 - h) * 2,
    "comparison": lambda h: dotori.where(h > 0.1, h, -h) * (h < 0.5),
    "axes": lambda h: (
        h.reshape(len(h), 2, 3).permute(0, 2, 1).flatten(1) + h.sum(dim=0)
    ),
    "statistics": lambda h: (h - h.mean(dim=1, keepdim=True)) / h.std(dim=1)[:, None],
    "var": lambda h: h.var(dim=1, correction=0),
    "extremes": lambda h: h.clamp(-0.5, 0.5) + h.max(dim=1).values[:, None] - h.amin(),
    "parts": lambda h: dotori.cat([h[:, :2], h[:, -1:], h[:, 1::2]], dim=1),
    "stack": lambda h: dotori.stack([h, h.exp()], dim=1).sum(dim=1),
    "functions": lambda h: F.elu(h) + F.softplus(h) + dotori.sigmoid(h) + h.tanh(),
    "more": lambda h: dotori.rsqrt(h * h + 1) + dotori.log1p(h.square()) + h.sin(),
    "einsum": lambda h: dotori.einsum("ni,nj->nij", h, h).sum(dim=2),
    "attention": lambda h: F.scaled_dot_product_attention(h[None], h[None], h[None])[0],
    "norm": lambda h: h / h.norm(dim=1, keepdim=True),
    "normalize": lambda h: F.normalize(h) + F.layer_norm(h, (6,)) + F.hardswish(h),
    "cumsum": lambda h: h.cumsum(dim=1),
    "roll": lambda h: h.roll(1, 1) + h.flip(1),
    "matmul": lambda h: h @ h.T @ h,
}


@pytest.mark.parametrize("name", FORWARDS)
def test_what_stands_between_layers(name, tmp_path):
    dotori.manual_seed(0)
    model = Odd(FORWARDS[name]).eval()
    x = floats(4, 6)
    script, _ = export_script(model, x, tmp_path / "odd.py")
    y = runpy.run_path(str(script))["predict"](x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, outputs(model, x), rtol=1e-5, atol=1e-6)


class Holder(nn.Module):
    """Its parts have names that mean something elsewhere."""

    def __init__(self):
        super().__init__()
        self.model, self.function = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, layer, n):
        return self.function(dotori.relu(self.model(layer))) * n


@pytest.mark.parametrize("wrap", [lambda m: m, dotori.compile])
def test_names_that_mean_something_elsewhere(wrap, tmp_path):
    model = Holder().eval()
    a, b = floats(4, 3), floats(4, 3, seed=1)
    script, _ = export_script(wrap(model), (a, b), tmp_path / "holder.py")
    y = runpy.run_path(str(script))["predict"](a, b)
    with dotori.no_grad():
        wanted = model(dotori.tensor(a), dotori.tensor(b)).numpy()
    np.testing.assert_allclose(y, wanted, atol=1e-6)
    assert "def predict(layer_, n_):" in script.read_text("utf-8")


class Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, channels, out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1)
        same = stride == 1 and channels == out
        self.shortcut = None if same else nn.Conv2d(channels, out, 1, stride)

    def forward(self, x):
        y = self.conv2(F.relu(self.norm1(self.conv1(x))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def blocks(*modules):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.Sequential(*modules),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


def predict_lines(script):
    text = script.read_text("utf-8")
    text = text[text.index("def predict(") : text.index("def main(")]
    return [line for line in text.splitlines() if "block" in line]


def test_blocks_of_one_kind_share_a_function(tmp_path):
    dotori.manual_seed(0)
    model = blocks(Block(4, 4), Block(4, 4), Block(4, 8, 2), Block(8, 8))
    model = trained(model, floats(4, 1, 10, 10))
    script, _ = export_script(model, floats(2, 1, 10, 10), tmp_path / "res.py")
    assert script.read_text("utf-8").count("def block(x, name):") == 1
    assert predict_lines(script) == [
        '    x = block(x, "1.0")',
        '    x = block(x, "1.1")',
        '    x = block(x, "1.3")',
    ]
    x = floats(5, 1, 10, 10, seed=3)
    y = runpy.run_path(str(script))["predict"](x)
    np.testing.assert_allclose(y, outputs(model, x), atol=1e-6)


def test_blocks_that_share_a_weight_do_not_share_a_function(tmp_path):
    first, second = Block(4, 4), Block(4, 4)
    second.conv1.weight = first.conv1.weight
    model = trained(blocks(first, second, Block(4, 8)), floats(4, 1, 10, 10))
    script, _ = export_script(model, floats(2, 1, 10, 10), tmp_path / "res.py")
    assert not predict_lines(script)
    x = floats(5, 1, 10, 10, seed=3)
    y = runpy.run_path(str(script))["predict"](x)
    np.testing.assert_allclose(y, outputs(model, x), atol=1e-6)


def test_a_block_that_is_used_twice(tmp_path):
    shared, other = Block(4, 4), Block(4, 4)
    model = blocks(shared, nn.ReLU(), shared, other, Block(4, 8))
    model = trained(model, floats(4, 1, 10, 10))
    script, _ = export_script(model, floats(2, 1, 10, 10), tmp_path / "res.py")
    x = floats(5, 1, 10, 10, seed=3)
    y = runpy.run_path(str(script))["predict"](x)
    np.testing.assert_allclose(y, outputs(model, x), atol=1e-6)
