"""A line through noisy points, with the gradient worked out on paper.

Replace the import of dotori by `import torch`, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch


def make_data():
    """200 points along y = 1.5 x - 0.7, with noise."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 200)
    return torch.tensor(x), torch.tensor(1.5 * x - 0.7 + 0.1 * rng.standard_normal(200))


def main():
    x, y = make_data()
    a = torch.tensor(np.zeros(()))
    b = torch.tensor(np.zeros(()))
    learning_rate = 0.1
    for step in range(100):
        error = a * x + b - y
        loss = (error**2).mean()
        # d loss / d a = mean of 2 error x, d loss / d b = mean of 2 error
        a = a - learning_rate * (2 * error * x).mean()
        b = b - learning_rate * (2 * error).mean()
        if step % 20 == 0:
            print(f"step {step:3d}: loss {loss.item():.6f}")
    print(f"y = {a.item():.4f} x + {b.item():.4f}")
    return {"loss": loss.item(), "slope": a.item(), "offset": b.item()}


if __name__ == "__main__":
    main()
