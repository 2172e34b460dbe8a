"""Newton's method: a minimum in few steps, from first and second derivatives.

Replace the import of dotori by `import torch`, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch


def valley(x):
    """A smooth bowl in three dimensions, not a quadratic one."""
    return (x**4).sum() / 4 + ((x[1:] - x[:-1]) ** 2).sum() + (x[0] - 2) ** 2


def hessian(gradient, x):
    """One row for each element of the gradient: its own gradient."""
    rows = [
        torch.autograd.grad(gradient[i], x, retain_graph=True)[0]
        for i in range(len(gradient))
    ]
    return torch.stack(rows)


def main():
    x = torch.tensor(np.array([3.0, -1.0, 0.5]), requires_grad=True)
    for step in range(8):
        value = valley(x)
        (gradient,) = torch.autograd.grad(value, x, create_graph=True)
        h = hessian(gradient, x)
        size = gradient.detach().abs().max().item()
        print(f"step {step}: value {value.item():.9f}, largest gradient {size:.1e}")
        with torch.no_grad():
            x -= torch.linalg.solve(h, gradient.detach())
    return {"value": value.item(), "x": x.tolist()}


if __name__ == "__main__":
    main()
