"""A training step as a script: the same weights as dotori's after the same steps."""

import ast
import runpy

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.compiler.script import export_script
from dotori.compiler.script.text import infix
from dotori.errors import ArgumentError, CaptureError
from dotori.nn import functional as F
from numpy_alone import run_alone

STEPS = 5

DRIVER = """
import runpy, sys
import numpy as np
script, batches, out, first = sys.argv[1:]
found = runpy.run_path(script)
data = np.load(batches)
losses = []
for i, (x, y) in enumerate(zip(data["x"], data["y"])):
    t = [i + int(first)] if "t" in found["train_step"].__code__.co_varnames[:4] else []
    losses.append(found["train_step"](x, y, *t))
np.savez(out, losses=np.array(losses), **found["W"])
"""


def batches(shape, target, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((STEPS, *shape)).astype(np.float32)
    if target == "words":
        return rng.integers(0, 5, x.shape), rng.integers(0, 3, (STEPS, shape[0]))
    if target == "class":
        return x, rng.integers(0, 3, (STEPS, shape[0]))
    if target == "yes":
        return x, rng.integers(0, 2, (STEPS, shape[0], 1)).astype(np.float32)
    return x, rng.standard_normal((STEPS, shape[0], 1)).astype(np.float32)


def mlp(outputs=1):
    return nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, outputs)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, stride=2),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(5 * 2 * 2, 3),
    )


def norms():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.GELU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LayerNorm(64),
        nn.Linear(64, 3),
    )


class Words(nn.Module):
    """A small Transformer; the numbers are places in a table of words."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(5, 4)
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.layer(self.words(x)).mean(dim=1))


class Own(nn.Module):
    """A residual, a norm, a weight that is used twice, and softplus and friends."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 1, bias=False)

    def forward(self, x):
        h = F.gelu(self.first(x)) + x
        h = F.silu(self.first(self.norm(h))) * 0.5
        return self.head(F.softplus(h) / (1 + h.abs()))


def adam(p):
    return optim.Adam(p, lr=0.01)


def adamw(p):
    return optim.AdamW(p, lr=0.02, betas=(0.8, 0.99), weight_decay=0.1)


def sgd(p):
    return optim.SGD(p, lr=0.1, weight_decay=0.01)


def nesterov(p):
    return optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)


def dampened(p):
    return optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.5)


def rmsprop(p):
    return optim.RMSprop(p, lr=0.01, alpha=0.9)


def two_groups(p):
    """With a rate and a decay of their own."""
    p = list(p)
    second = {"params": p[2:], "weight_decay": 0.1, "lr": 0.003}
    return optim.Adam([{"params": p[:2]}, second], lr=0.01)


CASES = {
    "mlp": (mlp, adam, F.mse_loss, (8, 6), "", False),
    "mlp clipped": (mlp, adam, F.mse_loss, (8, 6), "", True),
    "mlp adamw": (mlp, adamw, F.l1_loss, (8, 6), "", False),
    "mlp sgd": (mlp, sgd, F.smooth_l1_loss, (8, 6), "", False),
    "mlp nesterov": (mlp, nesterov, F.mse_loss, (8, 6), "", True),
    "mlp dampened": (mlp, dampened, F.mse_loss, (8, 6), "", False),
    "mlp rmsprop": (mlp, rmsprop, F.huber_loss, (8, 6), "", False),
    "mlp two groups": (mlp, two_groups, F.mse_loss, (8, 6), "", False),
    "mlp yes or no": (
        mlp,
        adam,
        F.binary_cross_entropy_with_logits,
        (8, 6),
        "yes",
        False,
    ),
    "classes": (lambda: mlp(3), adam, F.cross_entropy, (8, 6), "class", False),
    "cnn": (cnn, nesterov, F.cross_entropy, (4, 2, 10, 10), "class", False),
    "norms": (norms, adam, F.cross_entropy, (4, 2, 10, 10), "class", False),
    # The keys' biases change nothing, so their gradients are noise: not with Adam.
    "words": (Words, nesterov, F.cross_entropy, (4, 6), "words", True),
    "own": (Own, adam, F.mse_loss, (8, 6), "", False),
}


def make(name):
    build, choose, loss_of, shape, target, clip = CASES[name]
    dotori.manual_seed(0)
    model = build()
    optimizer = choose(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss.detach()

    return model, optimizer, step, batches(shape, target)


def tensors(x, y):
    return dotori.tensor(x), dotori.tensor(y)


@pytest.mark.parametrize(
    ("name", "begun"),
    [*((name, False) for name in CASES), ("mlp", True), ("mlp dampened", True)],
)
def test_same_weights_as_dotori(name, begun, tmp_path):
    model, _, step, (x, y) = make(name)
    if begun:
        for i in range(2):
            step(*tensors(x[i], y[i]))
    before = {k: v.numpy(force=True).copy() for k, v in model.state_dict().items()}
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(force=True), before[key])
    np.savez(tmp_path / "data.npz", x=x, y=y)
    (tmp_path / "driver.py").write_text(DRIVER)
    first = 3 if begun else 1
    run_alone(
        tmp_path / "driver.py",
        script,
        tmp_path / "data.npz",
        tmp_path / "out.npz",
        first,
    )
    losses = [step(*tensors(a, b)).item() for a, b in zip(x, y, strict=True)]
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_allclose(found["losses"], losses, rtol=1e-5)
        for key, value in model.state_dict().items():
            assert found[key].dtype == value.numpy(force=True).dtype
            np.testing.assert_allclose(
                found[key], value.numpy(force=True), rtol=2e-5, atol=2e-6, err_msg=key
            )


def function_of(script, name="train_step"):
    tree = ast.parse(script.read_text("utf-8"))
    return next(f for f in tree.body if getattr(f, "name", "") == name)


def test_it_reads_as_the_book_has_it(tmp_path):
    _, _, step, (x, y) = make("mlp")
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    lines = [ast.unparse(node) for node in function_of(script).body[1:]]
    assert lines == [
        "grad = {}",
        "z_0 = linear(x, W['0.weight'], W['0.bias'])",
        "h_0 = relu(z_0)",
        "z_2 = linear(h_0, W['2.weight'], W['2.bias'])",
        "h_2 = np.tanh(z_2)",
        "z_4 = linear(h_2, W['4.weight'], W['4.bias'])",
        "loss = mean_squared_error(z_4, y)",
        "d_z_4 = 2 * (z_4 - y) / z_4.size",
        "d_h_2 = d_z_4 @ W['4.weight']",
        "grad['4.weight'] = d_z_4.T @ h_2",
        "grad['4.bias'] = d_z_4.sum(axis=0)",
        "d_z_2 = d_h_2 * (1 - h_2 ** 2)",
        "d_h_0 = d_z_2 @ W['2.weight']",
        "grad['2.weight'] = d_z_2.T @ h_0",
        "grad['2.bias'] = d_z_2.sum(axis=0)",
        "d_z_0 = d_h_0 * (h_0 > 0)",
        "grad['0.weight'] = d_z_0.T @ x",
        "grad['0.bias'] = d_z_0.sum(axis=0)",
        "for name in grad:\n    adam(W[name], grad[name], *MEMORY[name], t, lr)",
        "return loss",
    ]
    text = script.read_text("utf-8")
    assert "    # loss = loss_of(model(x), y)\n" in text
    assert "    # loss.backward()\n" in text and "    # optimizer.step()\n" in text
    assert max(map(len, text.splitlines())) <= 88


@pytest.mark.parametrize("weights", ["npz", "safetensors"])
def test_it_runs_alone(weights, tmp_path):
    _, _, step, (x, y) = make("mlp")
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "s.py", weights)
    assert len(run_alone(script).splitlines()) == 10
    np.save(tmp_path / "x.npy", x[0])
    np.save(tmp_path / "y.npy", y[0])
    files = [tmp_path / name for name in ("x.npy", "y.npy", "new.npz")]
    losses = [float(line.split()[1]) for line in run_alone(script, *files).splitlines()]
    assert losses[-1] < losses[0]
    with np.load(tmp_path / "new.npz") as found:
        assert "0.weight" in found and "0.weight:exp_avg" not in found


def test_dropout_draws_its_own_masks(tmp_path):
    dotori.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 400), nn.Dropout(0.25), nn.Linear(400, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.0)

    @dotori.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    x, y = batches((8, 6), "")
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    text = script.read_text("utf-8")
    assert "mask = (rng.random((8, 400)) >= 0.25)" in text
    train_step = runpy.run_path(str(script))["train_step"]
    losses = {float(train_step(x[0], y[0])) for _ in range(4)}
    assert len(losses) == 4
    wanted = [step(*tensors(x[0], y[0])).item() for _ in range(50)]
    assert abs(np.mean(list(losses)) - np.mean(wanted)) < 5 * np.std(wanted)


def test_a_step_of_the_trainer(tmp_path):
    """Its lines are not the user's; clipping and penalties are found all the same."""
    dotori.manual_seed(0)
    model = mlp()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    trainer = dotori.train.Trainer(
        model, nn.MSELoss(), optimizer, clip_norm=0.5, l1=1e-3, l2=1e-2
    )
    x, y = batches((8, 6), "")
    script, _ = export_script(trainer.update, tensors(x[0], y[0]), tmp_path / "s.py")
    assert "    clip_gradients(grad, 0.5)\n" in script.read_text("utf-8")
    assert "isfinite" not in script.read_text("utf-8")
    train_step = runpy.run_path(str(script))["train_step"]
    for t in range(STEPS):
        found = train_step(x[t], y[t], t + 1)
        wanted = trainer.update(*tensors(x[t], y[t])).item()
        np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_weights_that_are_read_after_their_update_are_the_new_ones(tmp_path):
    dotori.manual_seed(0)
    model = mlp().to(dotori.float64)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        return {"before": loss.detach(), "after": F.mse_loss(model(x), y).detach()}

    x, y = (a.astype(np.float64) for a in batches((8, 6), ""))
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    found = runpy.run_path(str(script))["train_step"](x[0], y[0])
    wanted = step(*tensors(x[0], y[0]))
    for key, value in found.items():
        np.testing.assert_allclose(value, wanted[key].item(), rtol=1e-12)
    assert found["after"] < found["before"]


def test_clipping_by_another_norm_is_told_as_it_is(tmp_path):
    dotori.manual_seed(0)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1, norm_type=1.0)
        optimizer.step()
        return loss.detach()

    x, y = batches((8, 6), "")
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    assert "clip_gradients" not in script.read_text("utf-8")
    train_step = runpy.run_path(str(script))["train_step"]
    found = [train_step(x[0], y[0]) for _ in range(3)]
    wanted = [step(*tensors(x[0], y[0])).item() for _ in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_biases_alone(tmp_path):
    """What nobody reads is not told, and rules that would read it neither."""
    dotori.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    for p in model.parameters():
        p.requires_grad_(any(p is b for b in biases[1:]))
    optimizer = optim.SGD(biases[1:], lr=0.1)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    x, y = batches((8, 6), "")
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    train_step = runpy.run_path(str(script))["train_step"]
    found = [train_step(x[0], y[0]) for _ in range(3)]
    wanted = [step(*tensors(x[0], y[0])).item() for _ in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_a_frozen_table_beside_one_that_learns(tmp_path):
    """Rules belong to their own operation, though another is of the same kind."""

    class Tables(nn.Module):
        def __init__(self):
            super().__init__()
            self.learned, self.fixed = nn.Embedding(5, 4), nn.Embedding(5, 4)
            self.fixed.weight.requires_grad_(False)
            self.head = nn.Linear(12, 3)

        def forward(self, x):
            both = self.learned(x) + self.fixed(x.flip(1))
            return self.head(both.reshape(len(x), 12) + self.fixed(x).reshape(-1, 12))

    dotori.manual_seed(0)
    model = Tables()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = optim.SGD(trained, lr=0.1)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    x, y = batches((4, 3), "words")
    script, _ = export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    train_step = runpy.run_path(str(script))["train_step"]
    found = [train_step(a, b) for a, b in zip(x, y, strict=True)]
    wanted = [step(*tensors(a, b)).item() for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def refused_optimizer():
    model = mlp()
    return model, optim.Adam(model.parameters(), amsgrad=True)


def later_optimizer():
    model = mlp()
    return model, optim.LBFGS(model.parameters())


@pytest.mark.parametrize("make_both", [refused_optimizer, later_optimizer])
def test_optimisers_without_words_are_refused(make_both, tmp_path):
    model, optimizer = make_both()

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    x, y = batches((8, 6), "")
    with pytest.raises((ArgumentError, CaptureError, TypeError)):
        export_script(step, tensors(x[0], y[0]), tmp_path / "step.py")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_captured_names_the_line(tmp_path):
    def step(x, y):
        return x if (x.sum() > y.sum()).item() else y

    with pytest.raises(CaptureError, match=r"test_script_step\.py:\d+"):
        export_script(step, (dotori.ones(2), dotori.ones(2)), tmp_path / "s.py")
    assert not list(tmp_path.iterdir())


def test_something_else(tmp_path):
    with pytest.raises(ArgumentError, match="wanted, got int"):
        export_script(3, dotori.ones(2), tmp_path / "s.py")


def test_brackets_where_they_are_needed():
    assert infix("a - b", "-", "c") == "a - b - c"
    assert infix("a", "/", "b * c") == "a / (b * c)"
    assert infix("a**2", "**", "2") == "(a**2) ** 2"
    assert infix("-a", "**", "2") == "(-a) ** 2"
    assert infix("f(a + b)", "@", "c.T") == "f(a + b) @ c.T"
    assert infix("a > b", "==", "c") == "(a > b) == c"
