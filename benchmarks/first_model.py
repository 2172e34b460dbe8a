"""From process start to a small trained model, and what `import dotori` costs.

    python benchmarks/first_model.py

Each side is a whole Python process that trains ten epochs on the diabetes data: load,
split, standardise, train an MLP 10-64-32-1 by Adam in batches of 32. dotori's side
needs the core alone; that it does more (early stopping, baselines, figures on three
splits) is not taken off. Processes run in turn; medians are printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from side_by_side import compare, describe_environment, refuse_tuned_blas, table

DOTORI = "import dotori; dotori.fit('diabetes', epochs=10)"

DATA = """
import csv, gzip, importlib.resources as r
import numpy as np
path = r.files('dotori') / 'data' / 'builtin' / 'diabetes.csv.gz'
rows = list(csv.reader(gzip.open(path, 'rt')))[1:]
a = np.array(rows, dtype=np.float32)
x, y = a[:, :-1], a[:, -1:]
x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
x, y = x[:300], y[:300]
"""

NUMPY = (
    DATA
    + """
g = np.random.default_rng(0)
sizes = [10, 64, 32, 1]
W = [g.uniform(-n**-.5, n**-.5, (n, m)).astype('f') for n, m in zip(sizes, sizes[1:])]
B = [np.zeros(m, 'f') for m in sizes[1:]]
P = W + B
M, V, t = [np.zeros_like(p) for p in P], [np.zeros_like(p) for p in P], 0
for epoch in range(10):
    order = g.permutation(300)
    for i in range(0, 300, 32):
        b = order[i:i + 32]
        h = [x[b]]
        for k in range(3):
            z = h[-1] @ W[k] + B[k]
            h.append(np.maximum(z, 0) if k < 2 else z)
        d = 2 * (h[-1] - y[b]) / len(b)
        G = [None] * 6
        for k in (2, 1, 0):
            G[k], G[3 + k] = h[k].T @ d, d.sum(0)
            d = (d @ W[k].T) * (h[k] > 0) if k else None
        t += 1
        for p, q, m, v in zip(P, G, M, V):
            m += .1 * (q - m); v += .001 * (q * q - v)
            p -= 1e-3 * m / (1 - .9**t) / (np.sqrt(v / (1 - .999**t)) + 1e-8)
"""
)

SKLEARN = (
    DATA
    + """
import warnings; warnings.simplefilter('ignore')
from sklearn.neural_network import MLPRegressor
m = MLPRegressor(hidden_layer_sizes=(64, 32), batch_size=32, max_iter=10)
m.fit(x, y.ravel())
"""
)

TORCH = (
    DATA
    + """
import torch
L, R = torch.nn.Linear, torch.nn.ReLU
m = torch.nn.Sequential(L(10, 64), R(), L(64, 32), R(), L(32, 1))
o = torch.optim.Adam(m.parameters(), lr=1e-3)
d = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
for epoch in range(10):
    for bx, by in torch.utils.data.DataLoader(d, 32, shuffle=True):
        o.zero_grad()
        torch.nn.functional.mse_loss(m(bx), by).backward()
        o.step()
"""
)


def process(code: str):
    """A function that runs `code` in a fresh interpreter."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    # As an installed package, every side has its bytecode.
    caching = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env=caching
    )


def main() -> None:
    refuse_tuned_blas()
    medians = compare(
        {
            "dotori": process(DOTORI),
            "NumPy by hand": process(NUMPY),
            "scikit-learn": process(SKLEARN),
            "PyTorch": process(TORCH),
        },
        repeats=7,
    )
    print("from process start to a trained model")
    print(table(medians, unit="ms"))
    imports = compare(
        {"dotori": process("import dotori"), "numpy": process("import numpy")},
        repeats=15,
    )
    extra = (imports["dotori"] - imports["numpy"]) * 1e3
    print("\nimport, whole process")
    print(table(imports, unit="ms"))
    print(f"import dotori above import numpy: {extra:.0f} ms (wanted: <= 50)\n")
    print(describe_environment())


if __name__ == "__main__":
    main()
