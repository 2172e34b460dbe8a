"""A polynomial fitted to a sine: autograd finds the gradient, we make the step.

Replace the import of dotori by `import torch`, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch


def main():
    x = torch.linspace(-3, 3, 400, dtype=torch.float64)
    y = torch.sin(x)
    # Powers of x / 3 stay within [-1, 1], so one rate suits all coefficients.
    powers = torch.stack([(x / 3) ** k for k in range(6)], dim=1)
    coefficients = torch.tensor(np.full(6, 0.1), requires_grad=True)
    velocity = torch.tensor(np.zeros(6))
    for step in range(1000):
        loss = ((powers @ coefficients - y) ** 2).mean()
        loss.backward()
        # The step itself is no part of the next gradient.
        with torch.no_grad():
            velocity = 0.95 * velocity + coefficients.grad
            coefficients -= 0.1 * velocity
        coefficients.grad = None
        if step % 250 == 0:
            print(f"step {step:3d}: loss {loss.item():.6f}")
    terms = " + ".join(
        f"{c:.3f} (x/3)^{k}" for k, c in enumerate(coefficients.tolist()) if k % 2
    )
    print(f"sin x = {terms}")
    return {"loss": loss.item(), "coefficients": coefficients.tolist()}


if __name__ == "__main__":
    main()
