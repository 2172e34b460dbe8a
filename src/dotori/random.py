"""The only source of random numbers: Philox, a counter-based generator.

Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
1, 2, 3", SC 2011) encrypts a counter under a key. The n-th number of a stream is a
function of (key, n) alone, so streams for workers, epochs and samples can be derived
by key, without drawing from a parent and without ever overlapping in practice.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dotori.errors import ArgumentError, FormatError

Shape: TypeAlias = int | tuple[int, ...]


Method = TypeVar("Method", bound=Callable[..., Any])


def _watched(draw: Method) -> Method:
    """Let whoever watches this thread's draws have each one: see `watch_draws`."""

    @wraps(draw)
    def method(self: Generator, *args: Any, **kwargs: Any) -> Any:
        watcher = _default.watcher
        if watcher is None:
            return draw(self, *args, **kwargs)
        return watcher(self, draw, args, kwargs)

    return cast(Method, method)


class Generator:
    """A stream of random numbers that is fixed by its seed.

    Parameters
    ----------
    seed : int, optional
        A non-negative integer of any size. Without one, the system's entropy is used.

    Examples
    --------
    >>> a, b = Generator(7), Generator(7)
    >>> bool((a.normal(3) == b.normal(3)).all())
    True
    >>> int(a.derive(1, 5).integers(0, 100)) == int(b.derive(1, 5).integers(0, 100))
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.manual_seed(_fresh_seed() if seed is None else seed)

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream from `seed`; returns self, as PyTorch does."""
        self._start(_check_seed(seed), ())
        return self

    def _start(self, seed: int, path: tuple[int, ...]) -> None:
        self._seed, self._path = seed, path
        sequence = np.random.SeedSequence(seed, spawn_key=path)
        self._bits = np.random.Philox(sequence)
        self._numpy = np.random.Generator(self._bits)

    def initial_seed(self) -> int:
        """The seed that this stream, or the stream it was derived from, began with."""
        return self._seed

    def derive(self, *path: int) -> Generator:
        """An independent stream named by `path`, such as (epoch, sample index).

        It depends on the seed and the path alone, not on how many numbers have been
        drawn, so work can be split over any number of workers with equal results.
        """
        child = Generator.__new__(Generator)
        child._start(self._seed, (*self._path, *(_check_seed(k) for k in path)))
        return child

    @_watched
    def numpy(self) -> np.random.Generator:
        """The NumPy generator beneath; drawing from it moves this stream on."""
        return self._numpy

    @_watched
    def uniform(
        self,
        shape: Shape = (),
        low: float = 0.0,
        high: float = 1.0,
        dtype: DTypeLike = np.float32,
    ) -> NDArray[Any]:
        """Numbers evenly spread over [low, high); so are both parts of complex ones."""
        if np.dtype(dtype).kind == "c":
            return _joined(self.uniform(_pairs(shape), low, high, _part(dtype)), dtype)
        x = np.asarray(self._numpy.random(shape, dtype=_draw_dtype(dtype)))
        if high != 1.0 or low != 0.0:
            x *= x.dtype.type(high - low)
            x += x.dtype.type(low)
        return x.astype(dtype, copy=False)

    @_watched
    def normal(
        self,
        shape: Shape = (),
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = np.float32,
    ) -> NDArray[Any]:
        """Numbers from the normal distribution with this mean and deviation.

        Of complex numbers each part has half of the variance.
        """
        if np.dtype(dtype).kind == "c":
            parts = self.normal(_pairs(shape), 0.0, std * 0.5**0.5, _part(dtype))
            z = _joined(parts, dtype)
            z += mean
            return z
        x = np.asarray(self._numpy.standard_normal(shape, dtype=_draw_dtype(dtype)))
        if std != 1.0:
            x *= x.dtype.type(std)
        if mean != 0.0:
            x += x.dtype.type(mean)
        return x.astype(dtype, copy=False)

    @_watched
    def integers(self, low: int, high: int, shape: Shape = ()) -> NDArray[np.int64]:
        """Integers evenly spread over low, ..., high - 1."""
        return np.asarray(self._numpy.integers(low, high, shape, dtype=np.int64))

    @_watched
    def permutation(self, n: int) -> NDArray[np.int64]:
        """The integers 0, ..., n - 1 in random order."""
        order = np.arange(n, dtype=np.int64)
        self._numpy.shuffle(order)
        return order

    @_watched
    def keep_mask(self, shape: tuple[int, ...], p: float) -> NDArray[np.bool_]:
        """True with probability 1 - p, from 8 raw bits an element, or 40.

        This is dropout's mask. It is drawn from the raw stream, so any other
        implementation of Philox gives the same mask for the same key and counter. One
        byte decides unless it is the whole part of 256 p; then 32 bits more, from the
        words that follow, are held against the rest. So p is exact to 2^-40, and the
        drawing, which costs more than all else, is a quarter of that of 32 bits each.
        """
        size = math.prod(shape)
        whole = int(p * 256)
        rest = int((p * 256 - whole) * 2**32)
        if whole >= 256:
            return np.zeros(shape, np.bool_)
        first = self._bits.random_raw((size + 7) // 8).view(np.uint8)[:size]
        if not rest:
            return np.asarray(first >= np.uint8(whole)).reshape(shape)
        kept: NDArray[np.bool_] = first > np.uint8(whole)
        ties = np.flatnonzero(first == np.uint8(whole))
        second = self._bits.random_raw((ties.size + 1) // 2).view(np.uint32)
        kept[ties] = second[: ties.size] >= np.uint32(rest)
        return kept.reshape(shape)

    def get_state(self) -> dict[str, Any]:
        """Everything that :meth:`set_state` needs, as plain JSON values."""
        state: Any = self._bits.state
        return {
            "seed": self._seed,
            "path": list(self._path),
            "counter": [int(v) for v in state["state"]["counter"]],
            "buffer": [int(v) for v in state["buffer"]],
            "buffer_pos": int(state["buffer_pos"]),
            "has_uint32": int(state["has_uint32"]),
            "uinteger": int(state["uinteger"]),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on exactly where :meth:`get_state` was called."""
        try:
            self._start(_check_seed(state["seed"]), tuple(map(int, state["path"])))
            inner: Any = self._bits.state
            inner["state"]["counter"] = np.array(state["counter"], dtype=np.uint64)
            inner["buffer"] = np.array(state["buffer"], dtype=np.uint64)
            for name in ("buffer_pos", "has_uint32", "uinteger"):
                inner[name] = int(state[name])
            self._bits.state = inner
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FormatError(f"not a state of dotori.Generator: {error}") from error

    def mark(self) -> Any:
        """Where the stream stands, for `rewind`: quicker than `get_state`, not JSON."""
        return self._bits.state

    def rewind(self, mark: Any) -> None:
        """Go back to where `mark` was called."""
        self._bits.state = mark

    def __repr__(self) -> str:
        path = f", path={self._path}" if self._path else ""
        return f"Generator(seed={self._seed}{path})"


def _fresh_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])


def _check_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ArgumentError(f"a seed must be a non-negative integer, got {seed!r}")
    return int(seed)


def _pairs(shape: Shape) -> tuple[int, ...]:
    return (*((shape,) if isinstance(shape, int) else shape), 2)


def _part(dtype: DTypeLike) -> np.dtype[Any]:
    """The type of one part of complex numbers of type `dtype`."""
    return np.dtype(f"f{np.dtype(dtype).itemsize // 2}")


def _joined(parts: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Complex numbers of pairs along the last axis."""
    return parts.view(dtype)[..., 0]


def _draw_dtype(dtype: DTypeLike) -> Any:
    return np.float32 if np.dtype(dtype).itemsize <= 4 else np.float64


class _Default(threading.local):
    """Each thread has its own default stream: threads never wait for each other."""

    # A function stands for a stream that nobody has drawn from yet.
    generator: Generator | Callable[[], Generator] = Generator
    watcher: Callable[..., Any] | None = None


_default = _Default()


def default_generator() -> Generator:
    """The calling thread's stream, which `manual_seed` restarts."""
    current = _default.generator
    if not isinstance(current, Generator):
        current = _default.generator = current()
    return current


class watch_draws:
    """Within the block, draws in this thread go to ``watcher(generator, draw, ...)``.

    It gets the method as a function, its arguments and keywords, and gives what is to
    be taken for the numbers drawn. ``watch_draws(None)`` draws as usual.
    """

    __slots__ = ("_outer", "_watcher")

    def __init__(self, watcher: Callable[..., Any] | None) -> None:
        self._watcher = watcher

    def __enter__(self) -> None:
        self._outer = _default.watcher
        _default.watcher = self._watcher

    def __exit__(self, *error: object) -> None:
        _default.watcher = self._outer


class use_generator:
    """Within the block, `generator` is the calling thread's default stream.

    Parameters
    ----------
    generator : Generator or callable
        The stream, or a function that makes it. The function is called at the first
        use, so a block that draws nothing pays nothing for its stream.

    Examples
    --------
    >>> with use_generator(Generator(7)):
    ...     x = default_generator().normal(3)
    >>> bool((x == Generator(7).normal(3)).all())
    True
    """

    __slots__ = ("_generator", "_outer")

    def __init__(self, generator: Generator | Callable[[], Generator]) -> None:
        self._generator = generator

    def __enter__(self) -> None:
        self._outer = _default.generator
        _default.generator = self._generator

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _default.generator = self._outer


def manual_seed(seed: int) -> Generator:
    """Restart the calling thread's default stream from `seed`."""
    return default_generator().manual_seed(seed)


def seed() -> int:
    """Restart the calling thread's default stream from a fresh seed; returns it."""
    return default_generator().manual_seed(_fresh_seed()).initial_seed()


def get_rng_state() -> dict[str, Any]:
    """Where the calling thread's default stream stands, as plain JSON values.

    Examples
    --------
    >>> state = get_rng_state()
    >>> x = default_generator().normal(3)
    >>> set_rng_state(state)
    >>> bool((x == default_generator().normal(3)).all())
    True
    """
    return default_generator().get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Go on exactly where `get_rng_state` was called."""
    default_generator().set_state(new_state)


def initial_seed() -> int:
    """The seed that the calling thread's default stream began with."""
    return default_generator().initial_seed()
