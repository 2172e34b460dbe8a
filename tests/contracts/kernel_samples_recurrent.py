"""Arguments of the kernels of recurrent networks: see test_every_kernel_pair.py."""

from dotori.kernels import recurrent

assert recurrent  # registers them


def shaped(*widths, rows, width):
    """Matrices of so many times the width each; 0 stands for a bias."""

    def make(rng, dtype):
        shapes = [(rows, w * width) if w else (width,) for w in widths]
        return tuple(rng.standard_normal(s).astype(dtype) for s in shapes)

    return make


def sizes(*widths):
    return [
        shaped(*widths, rows=rows, width=width)
        for rows, width in ((0, 3), (1, 1), (5, 7), (32, 128))
    ]


SHAPED = {
    "lstm_cell": sizes(4, 1, 1),
    "lstm_slopes": sizes(4, 1, 1, 4, 1),
    "lstm_back": sizes(4, 4, 1, 1, 1),
    "gru_gates": sizes(3, 3, 0, 1),
    "gru_state": sizes(3, 1, 1),
    "gru_slopes": sizes(3, 1, 1, 3, 1),
    "gru_back": sizes(3, 3, 1, 1),
}
