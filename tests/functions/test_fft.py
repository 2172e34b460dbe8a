"""Fourier transforms beside PyTorch and NumPy; windows; short-time transforms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dotori
from dotori import fft
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.signal import windows

RNG = np.random.default_rng(0)
NORMS = [None, "backward", "ortho", "forward"]


def draw(*shape):
    return RNG.standard_normal(shape)


def drawn(*shape):
    return draw(*shape) + 1j * draw(*shape)


def both(function, *arrays):
    """The same in PyTorch, to second order."""
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    agree(lambda *xs: function(dotori, *xs), lambda *ts: function(torch, *ts), *arrays)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "hfft", "irfft"])
@pytest.mark.parametrize("n", [None, 3, 4, 7])
def test_of_complex_numbers(name, n, norm):
    both(lambda lib, x: getattr(lib.fft, name)(x, n, -1, norm) ** 2, drawn(2, 5))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft"])
@pytest.mark.parametrize("n", [None, 3, 4, 7])
def test_of_real_numbers(name, n, norm):
    both(lambda lib, x: getattr(lib.fft, name)(x, n, 0, norm) ** 2, draw(5, 2))


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("2", {}),
        ("2", {"s": (3, 5), "norm": "ortho"}),
        ("n", {}),
        ("n", {"dim": (0, 2)}),
        ("n", {"s": (2, 6)}),
        ("n", {"dim": (-1, 0), "s": (4, 3), "norm": "forward"}),
    ],
)
def test_along_several_axes(name, suffix, options):
    real = name in ("rfft", "ihfft")
    x = draw(2, 3, 4) if real else drawn(2, 3, 4)
    both(lambda lib, t: getattr(lib.fft, name + suffix)(t, **options) ** 2, x)


@given(st.integers(1, 12), st.sampled_from(NORMS), st.integers(0, 2**31))
def test_the_way_back_leads_back(n, norm, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, n))
    z = x + 1j * rng.standard_normal((2, n))
    assert_allclose(fft.ifft(fft.fft(z, norm=norm), norm=norm).numpy(), z, atol=1e-12)
    again = fft.irfft(fft.rfft(x, norm=norm), n, norm=norm)
    assert_allclose(again.numpy(), x, atol=1e-12)
    again = fft.hfft(fft.ihfft(x, norm=norm), n, norm=norm)
    assert_allclose(again.numpy(), x, atol=1e-12)
    # Parseval: with "ortho" lengths do not change.
    y = fft.fft(z, norm="ortho")
    assert np.linalg.norm(y.numpy()) == pytest.approx(np.linalg.norm(z))


def test_types():
    for given_type, wanted in (
        (np.float32, np.complex64),
        (np.float64, np.complex128),
        (np.int64, np.complex64),
        (np.bool_, np.complex64),
    ):
        assert fft.fft(np.ones(4, given_type)).dtype == wanted
        assert fft.rfft(np.ones(4, given_type)).dtype == wanted
    assert fft.irfft(np.ones(4, np.complex64)).dtype == np.float32
    assert fft.hfft(np.ones(4)).dtype == np.float64


def test_frequencies():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for n in (1, 4, 7):
        for name in ("fftfreq", "rfftfreq"):
            ours = getattr(fft, name)(n, 0.5)
            theirs = getattr(torch.fft, name)(n, 0.5)
            assert ours.dtype == np.float32
            assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    assert fft.fftfreq(3, dtype=np.float64, requires_grad=True).requires_grad
    for dim in (None, 0, (0, 1), [-1]):
        x = draw(4, 5)
        both(lambda lib, t, dim=dim: lib.fft.fftshift(t, dim), x)
        moved = fft.ifftshift(fft.fftshift(x, dim), dim)
        assert moved.tolist() == x.tolist()


def test_numpys_functions_reach_them():
    x = dotori.tensor(draw(4, 6), requires_grad=True)
    names = "fft ifft rfft irfft hfft ihfft fft2 ifftn rfft2 irfftn fftshift ifftshift"
    for name in names.split():
        f = getattr(np.fft, name)
        found = f(x)
        assert found.requires_grad, name
        assert_allclose(found.detach().numpy(), f(x.array), atol=1e-12, err_msg=name)
    found = np.fft.fft(x, n=3, axis=0, norm="ortho").detach().numpy()
    assert_allclose(found, np.fft.fft(x.array, 3, 0, "ortho"))
    found = np.fft.rfftn(x, axes=(1, 0)).detach().numpy()
    assert_allclose(found, np.fft.rfftn(x.array, axes=(1, 0)), atol=1e-12)


def test_a_filter_is_learned_through_a_transform():
    """The product of spectra is the circular convolution: found back by descent."""
    signal, wanted = draw(8), draw(8)
    weights = dotori.tensor(np.zeros(8), requires_grad=True)
    target = np.array(
        [sum(wanted[j] * signal[i - j] for j in range(8)) for i in range(8)]
    )
    spectrum = fft.rfft(signal)
    rate = 1 / np.abs(spectrum.numpy()).max() ** 2
    losses = []
    for _ in range(50):
        weights.grad = None
        error = fft.irfft(fft.rfft(weights) * spectrum) - target
        loss = (error**2).sum()
        loss.backward()
        losses.append(loss.item())
        with dotori.no_grad():
            weights.sub_(weights.grad * (rate / 2))
    assert losses[-1] < losses[0] / 10
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (lambda: fft.fft(1.0), ShapeError, "axis -1"),
        (lambda: fft.fft([1.0], norm="both"), ArgumentError, "norm must be in"),
        (lambda: fft.fft([1.0], 0), ShapeError, "at least 1"),
        (lambda: fft.fft([1.0], dim=1), ShapeError, "axis 1"),
        (lambda: fft.rfft([1j]), DTypeError, "real numbers"),
        (lambda: fft.irfft([1.0]), ShapeError, "at least 1 is wanted, got 0"),
        (lambda: fft.fft(np.ones(2, np.float16)), DTypeError, "float16"),
        (lambda: fft.fftn(np.ones((2, 2)), dim=(0, 0)), ArgumentError, "twice"),
        (lambda: fft.fftn(np.eye(2), s=(2,), dim=(0, 1)), ArgumentError, "1 lengths"),
        (lambda: fft.rfftn(np.ones(2), dim=()), ShapeError, "at least one axis"),
    ],
)
def test_mistakes_are_named(mistake, kind, message):
    with pytest.raises(kind, match=message):
        mistake()


OPTIONS = {
    "exponential": {"tau": 2.0},
    "gaussian": {"std": 1.5},
    "kaiser": {"beta": 7.0},
    "general_cosine": {"a": [0.4, 0.3, 0.2, 0.1]},
    "general_hamming": {"alpha": 0.6},
}


@pytest.mark.parametrize("name", windows.__all__)
@pytest.mark.parametrize("sym", [True, False])
def test_windows_are_pytorchs(name, sym):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for m in (0, 1, 2, 5, 8):
        for options in ({}, OPTIONS.get(name, {})):
            if name == "general_cosine" and not options:
                continue
            ours = getattr(windows, name)(m, sym=sym, dtype=np.float64, **options)
            theirs = getattr(torch.signal.windows, name)(
                m, sym=sym, dtype=torch.float64, **options
            )
            assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-14)
    assert getattr(windows, name)(4, **OPTIONS.get(name, {})).dtype == np.float32


@pytest.mark.parametrize("name", ["hann", "hamming", "bartlett", "blackman", "kaiser"])
@pytest.mark.parametrize("periodic", [True, False])
def test_older_windows_are_pytorchs(name, periodic):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    ours, theirs = (getattr(lib, f"{name}_window") for lib in (dotori, torch))
    for n in (0, 1, 2, 9):
        found, wanted = ours(n, periodic).numpy(), theirs(n, periodic).numpy()
        assert_allclose(found, wanted, atol=2e-6)


def test_mistakes_in_windows_are_named():
    for mistake, message in (
        (lambda: windows.hann(-1), "M must not be negative"),
        (lambda: windows.kaiser(3, beta=-1.0), "beta must not be"),
        (lambda: windows.gaussian(3, std=0.0), "std must be positive"),
        (lambda: windows.exponential(3, tau=0.0), "tau must be positive"),
        (lambda: windows.exponential(3, center=1.0), "the center cannot be chosen"),
        (lambda: windows.general_cosine(3, a=[]), "at least one coefficient"),
    ):
        with pytest.raises(ArgumentError, match=message):
            mistake()
    with pytest.raises(DTypeError, match="float32 or float64"):
        windows.hann(3, dtype=np.int64)


SHORT = [
    {},
    {"hop_length": 3, "win_length": 6},
    {"center": False},
    {"pad_mode": "constant"},
    {"pad_mode": "replicate", "normalized": True},
    {"pad_mode": "circular", "onesided": False},
]


@pytest.mark.parametrize("options", SHORT, ids=str)
@pytest.mark.filterwarnings("ignore:A window was not", "ignore:stft with return")
def test_stft_is_pytorchs(options):
    window = np.hanning(options.get("win_length", 8) + 2)[1:-1]
    for x in (draw(20), draw(2, 20)):
        both(
            lambda lib, t, w: lib.stft(t, 8, window=w, return_complex=True, **options),
            x,
            window,
        )
    both(lambda lib, t: lib.stft(t, 8, return_complex=True).abs(), drawn(20))
    both(
        lambda lib, t: lib.stft(t, 8, window=lib.ones(8), return_complex=False),
        draw(20),
    )


@pytest.mark.parametrize("options", [{}, {"center": False}, {"normalized": True}])
@pytest.mark.parametrize("length", [None, 20, 30])
@pytest.mark.filterwarnings("ignore:The length of signal is shorter")
def test_istft_is_pytorchs_and_leads_back(options, length):
    window = np.hanning(10)[1:-1]
    x = draw(2, 24)
    spectra = dotori.stft(x, 8, window=window, return_complex=True, **options).numpy()
    both(lambda lib, t, w: lib.istft(t, 8, window=w, length=length, **options), spectra,
         window)  # fmt: skip
    again = dotori.istft(spectra, 8, window=window, **options).numpy()
    assert_allclose(again, x[:, : again.shape[1]], atol=1e-12)


def test_mistakes_in_short_time_transforms_are_named():
    x = draw(20)
    for mistake, kind, message in (
        (lambda: dotori.stft(x, 8), ArgumentError, "return_complex must be given"),
        (lambda: dotori.stft(x, 50, return_complex=True), ShapeError, "too short"),
        (lambda: dotori.stft(x, 8, 0, return_complex=True), ArgumentError, "hop"),
        (
            lambda: dotori.stft(x, 8, window=np.ones(3), return_complex=True),
            ShapeError,
            r"shape \(8,\)",
        ),
        (lambda: dotori.istft(np.ones((5, 3)), 8), DTypeError, "complex numbers"),
        (
            lambda: dotori.istft(np.ones((4, 3), complex), 8),
            ShapeError,
            "5 freq|8 freq",
        ),
        (
            lambda: dotori.istft(np.ones((5, 3), complex), 8, window=np.zeros(8)),
            ArgumentError,
            "without weight",
        ),
    ):
        with pytest.raises(kind, match=message):
            mistake()
