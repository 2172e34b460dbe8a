"""Arguments for Winograd's transforms: whole tiles, edges, several pictures."""

import numpy as np


def pictures(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def input_of(n, down, across, channels):
    def make(rng, dtype):
        x = pictures(rng, dtype, n, 4 * down + 2, 4 * across + 2, channels)
        return x, np.empty((36, n * down * across, channels), dtype), down, across

    return make


def output_of(n, height, width, channels):
    def make(rng, dtype):
        tiles = -(-height // 4) * -(-width // 4)
        products = pictures(rng, dtype, 36, n * tiles, channels)
        y = np.empty((n, height, width, channels), dtype)
        return products, y, pictures(rng, dtype, channels)

    return make


def gradient_of(n, height, width, channels):
    def make(rng, dtype):
        tiles = -(-height // 4) * -(-width // 4)
        dy = pictures(rng, dtype, n, height, width, channels)
        return np.empty((36, n * tiles, channels), dtype), dy

    return make


SHAPED = {
    "winograd_input": [input_of(1, 1, 1, 3), input_of(3, 2, 4, 17)],
    "winograd_output": [output_of(1, 4, 4, 3), output_of(3, 7, 13, 17)],
    "winograd_gradient": [gradient_of(1, 4, 4, 3), gradient_of(3, 7, 13, 17)],
}
