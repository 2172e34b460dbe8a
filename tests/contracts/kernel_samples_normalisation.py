"""Arguments of the kernels of normalisation: see test_every_kernel_pair.py."""

from dotori.kernels import normalisation

assert normalisation  # registers them


def number(rng, dtype, *shape):
    return (rng.standard_normal(shape) + 3).astype(dtype)


def channels(n, width):
    """Rows, columns, and the rows of a block."""

    def moments(rng, dtype, block=5):
        blocks = -(-n // block)
        x = number(rng, dtype, n, width)
        x[: n // 2, -1], x[n // 2 :, -1] = 7.3, 1e30  # no variance; squares overflow
        return (x, block, *(number(rng, dtype, blocks, width) for _ in range(2)))

    def affine(rng, dtype):
        x, y = (number(rng, dtype, n, width) for _ in range(2))
        return (x, *(number(rng, dtype, width) for _ in range(3)), y)

    def sums(rng, dtype, block=5):
        dy, x = (number(rng, dtype, n, width) for _ in range(2))
        shape = (-(-n // block), width)
        sums = (number(rng, dtype, *shape) for _ in range(2))
        return (dy, x, number(rng, dtype, width), block, *sums)

    def gradient(rng, dtype):
        dy, x, dx = (number(rng, dtype, n, width) for _ in range(3))
        return (dy, x, *(number(rng, dtype, width) for _ in range(4)), dx)

    return moments, affine, sums, gradient


def rows(n, width, centred):
    def forward(rng, dtype):
        x, y = (number(rng, dtype, n, width) for _ in range(2))
        w, b = (number(rng, dtype, width) for _ in range(2))
        mean, var = (number(rng, dtype, n) for _ in range(2))
        return x, w, b, 1e-5, centred, y, mean, var

    def backward(rng, dtype, block=5):
        dy, x, dx = (number(rng, dtype, n, width) for _ in range(3))
        mean, var = number(rng, dtype, n), abs(number(rng, dtype, n))
        dw, db = (number(rng, dtype, -(-n // block), width) for _ in range(2))
        w = number(rng, dtype, width)
        return dy, x, w, mean, var, 1e-5, centred, block, dx, dw, db

    return forward, backward


SIZES = [(1, 1), (13, 1), (40, 3), (700, 64)]
CHANNELS = [channels(*size) for size in SIZES]
ROWS = [rows(*size, centred) for size in SIZES for centred in (True, False)]
SHAPED = {
    "channel_moments": [of[0] for of in CHANNELS],
    "channel_affine": [of[1] for of in CHANNELS],
    "channel_sums": [of[2] for of in CHANNELS],
    "channel_gradient": [of[3] for of in CHANNELS],
    "row_norm": [of[0] for of in ROWS],
    "row_norm_gradient": [of[1] for of in ROWS],
}
