"""A model and what it was told, in a few words; what it is told where nothing is."""

from __future__ import annotations

from dotori.tabular.options import Options

DEPTH = 6
TREES = 200
ALPHA = 1.0


def describe(options: Options) -> str:
    """A model and what it was told, in a few words.

    Examples
    --------
    >>> describe(Options(model="forest", depth=8)), describe(Options(model="linear"))
    ('forest, 200 trees, depth 8', 'linear, alpha 1')
    """
    words: list[str] = [options.model]
    if options.model in ("linear", "logistic"):
        words.append(f"alpha {ALPHA if options.alpha is None else options.alpha:g}")
    if options.model == "forest":
        words.append(f"{options.trees or TREES} trees")
    if options.model == "tree" and options.alpha:
        words.append(f"pruned with alpha {options.alpha:g}")
    if depth := depth_of(options):
        words.append(f"depth {depth}")
    if options.model == "kmeans":
        words.append(f"{options.clusters} clusters")
    if options.model == "mlp":
        words.append("-".join(map(str, options.hidden)) or "linear")
    return ", ".join(words)


def leaf_of(rows: int, amounts: bool) -> int:
    """The fewest rows in a leaf of a forest: 5 for amounts, 1 for classes.

    As Breiman's own forests have it; of large tables 1 in 10,000, or a file of two
    hundred trees would be larger than the table.

    Examples
    --------
    >>> leaf_of(400, True), leaf_of(400, False), leaf_of(100_000, True)
    (5, 1, 10)
    """
    return max(5 if amounts else 1, -(-rows // 10_000))


def depth_of(options: Options) -> int | None:
    """The most questions on the way to a leaf; None for any number."""
    if options.model == "tree" and options.depth is None:
        return DEPTH
    return options.depth or None
