"""Every example runs in a tiny setting, and learns."""

import gzip
import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dotori

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
TEXT = "the quick brown fox jumps over the lazy dog; " * 40


@pytest.fixture(autouse=True)
def own_stream():
    """The examples seed the default generator; the tests' own is put back."""
    state = dotori.get_rng_state()
    yield
    dotori.set_rng_state(state)


def load(name):
    """The example as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def halves(n, rng, shape=(28, 28)):
    """Pictures of ten classes: a bright bar at the row that belongs to the class."""
    classes = np.arange(n) % 10
    pictures = rng.integers(0, 60, (n, *shape)).astype(np.uint8)
    for picture, number in zip(pictures, classes, strict=True):
        picture[2 * number + 4 : 2 * number + 6] = 250
    return pictures, classes.astype(np.int64)


def waves(n, rng):
    """Signals of 40 numbers in ten classes: waves of different lengths."""
    classes = np.arange(n) % 10
    phase = np.linspace(0, np.pi, 40) * (classes[:, None] + 1)
    signals = np.sin(phase) + 0.1 * rng.standard_normal((n, 40))
    return dotori.tensor(signals.astype(np.float32)), dotori.tensor(classes)


def first_and_last(losses, part=5):
    return np.mean(losses[:part]), np.mean(losses[-part:])


def test_every_example_has_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    assert len(NAMES) == 10
    for name in NAMES:
        assert f'load("{name}")' in text or f'run("{name}")' in text, name


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_says_how_to_run_it_and_what_it_reaches(name):
    text = " ".join(load(name).__doc__.split())
    assert f"examples/{name}.py" in text
    if name not in ("backprop_by_hand", "truncated_bptt"):  # those show, not measure
        assert "2 cores AMD EPYC, Zen 3" in text
        assert any(word in text for word in ("PyTorch", "paper", "published"))


def run(name, *arguments):
    """The example as a program; what it prints."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def test_backprop_by_hand():
    assert "largest difference" in run("backprop_by_hand")


def test_truncated_bptt_learns_as_pytorch_does():
    """The same windows, states and steps give the same losses."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    example = load("truncated_bptt")
    dotori.manual_seed(0)
    model = example.Forecaster(hidden_size=8)
    gru, head = torch.nn.GRU(1, 8), torch.nn.Linear(8, 1)
    for ours, theirs in ((model.recurrent, gru), (model.head, head)):
        state = {k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()}
        theirs.load_state_dict(state)
    values = example.signal(400)
    losses = example.train(model, dotori.tensor(values), window=40, epochs=3)

    optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=0.01)
    their_losses = []
    for _ in range(3):
        state, total = None, 0.0
        for start in range(0, 400, 40):
            part = torch.tensor(values[start : start + 41, None])
            output, state = gru(part[:-1], state)
            loss = torch.nn.functional.mse_loss(head(output), part[1:])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state, total = state.detach(), total + loss.item()
        their_losses.append(total / 10)
    np.testing.assert_allclose(losses, their_losses, rtol=1e-4)
    assert losses[-1] < losses[0] / 2


def test_truncated_bptt_runs_as_a_program():
    assert "epoch 8" in run("truncated_bptt")


def test_gan_runs_as_a_program():
    assert "modes" in run("gan", "--steps", "20", "--batch", "16")


def test_gan():
    example = load("gan")
    found = example.main(steps=300, batch=64)
    # The discriminator knows nothing at first: -2 log(1/2).
    assert found["losses"]["D"][0] == pytest.approx(2 * np.log(2), abs=0.1)
    assert min(found["losses"]["D"]) < 1.3
    assert example.judge(example.real_points(10_000, np.random.default_rng(0))) == (
        8,
        pytest.approx(1 - np.exp(-4.5), abs=0.005),  # within 3 deviations, in the plane
    )
    assert example.judge(np.tile(example.centres()[:3], (100, 1))) == (3, 1.0)


def test_pinn():
    example = load("pinn")
    found = example.main(iterations=200, inside=200, width=10, depth=2, viscosity=0.1)
    assert found["losses"][-1] < 0.05 * found["losses"][0]
    assert found["error"] < 0.2


def test_the_exact_solution_solves_burgers_equation():
    example, step, nu = load("pinn"), 1e-3, 0.05
    x, t = np.meshgrid(np.linspace(-0.9, 0.9, 7), [0.2, 0.5, 0.8])

    def u(dx=0, dt=0):
        return example.exact(x + dx * step, t + dt * step, nu)

    u_t = (u(dt=1) - u(dt=-1)) / (2 * step)
    u_x = (u(dx=1) - u(dx=-1)) / (2 * step)
    u_xx = (u(dx=1) - 2 * u() + u(dx=-1)) / step**2
    np.testing.assert_allclose(u_t + u() * u_x, nu * u_xx, atol=1e-3)
    start = example.exact(x, np.full_like(x, 1e-6), nu)
    np.testing.assert_allclose(start, -np.sin(np.pi * x), atol=1e-4)


def test_vae(rng):
    pictures, _ = halves(300, rng)
    rows = pictures.reshape(-1, 784).astype(np.float32) / 255
    found = load("vae").main(
        epochs=5, hidden=32, latent=4, batch=20, data=[rows, rows[:50]]
    )
    first, last = found["bounds"][0], found["bounds"][-1]
    assert last > first + 50
    assert found["test"] == pytest.approx(last, rel=0.2)


def test_char_lstm():
    found = load("char_lstm").main(
        epochs=6, hidden=32, batch=4, length=16, text=TEXT, sample=5
    )
    assert found["losses"][-1] < 0.5 * found["losses"][0]
    assert found["bits"] < 2


def test_char_transformer():
    found = load("char_transformer").main(
        steps=100, width=32, heads=2, layers=1, window=16, text=TEXT, sample=5
    )
    first, last = first_and_last(found["losses"], 1)
    assert last < 0.5 * first
    assert found["bits"] < 2


def test_the_transformer_sees_nothing_of_what_comes():
    model = load("char_transformer").Writer(9, 16, 2, 2, 12).eval()
    x = np.arange(12)[None] % 9
    changed = x.copy()
    changed[0, 7:] = 0
    with dotori.no_grad():
        one, other = (model(dotori.tensor(codes)).numpy() for codes in (x, changed))
    np.testing.assert_allclose(one[0, :7], other[0, :7], atol=1e-5)
    assert np.abs(one[0, 7:] - other[0, 7:]).max() > 1e-3


def test_mnist1d_models(rng):
    data = waves(400, rng), waves(100, rng)
    found = load("mnist1d_models").main(steps=200, batch=50, data=data)
    assert list(found) == ["logistic", "mlp", "cnn", "gru"]
    for name, result in found.items():
        assert result["losses"][-1] < result["losses"][0], name
        assert result["accuracy"] > 0.8, name


def test_fashion_mnist(rng, tmp_path):
    for part, n in (("train", 200), ("t10k", 50)):
        pictures, classes = halves(n, rng)
        for kind, array in (("images-idx3", pictures), ("labels-idx1", classes)):
            header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            data = gzip.compress(header + array.astype(np.uint8).tobytes())
            (tmp_path / f"{part}-{kind}-ubyte.gz").write_bytes(data)
    example = load("fashion_mnist")
    model = example.make_model(channels=(4, 8), hidden=32, dropout=0.1)
    found = example.main(epochs=8, batch=20, root=tmp_path, model=model)
    assert found["losses"][-1] < 0.5 * found["losses"][0]
    assert found["accuracy"] > 0.5


def test_half_of_the_pictures_are_mirrored(rng):
    pictures = rng.integers(0, 256, (1000, 4, 5)).astype(np.uint8)
    found = load("fashion_mnist").mirrored(pictures, rng)
    same = (found == pictures).all(axis=(1, 2))
    assert 400 < same.sum() < 600
    np.testing.assert_array_equal(found[~same], pictures[~same][:, :, ::-1])


def test_resnet(rng):
    classes = np.arange(200) % 4
    pictures = 0.3 * rng.standard_normal((200, 1, 8, 8)).astype(np.float32)
    for picture, number in zip(pictures, classes, strict=True):
        picture[0, :, 1 : 2 + number] += 1
    data = (pictures[:150], classes[:150]), (pictures[150:], classes[150:])
    found = load("resnet").main(epochs=5, blocks=1, batch=30, data=data)
    assert found["losses"][-1] < 0.7 * found["losses"][0]
    assert found["accuracy"] > 0.5


def test_resnet_data():
    pytest.importorskip("sklearn", reason="scikit-learn brings the digits")
    (pictures, classes), (test, _) = load("resnet").load()
    assert (pictures.shape, test.shape) == ((1437, 1, 8, 8), (360, 1, 8, 8))
    assert (pictures.min(), pictures.max()) == (-1, 1)
    assert set(classes) == set(range(10))
