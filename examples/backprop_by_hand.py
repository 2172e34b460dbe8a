"""Back-propagation written out: a 3-4-2 network, and the same gradient by autograd.

    hidden:  h = sigmoid(x W1^T + b1)
    output:  y = h W2^T + b2                    (linear)
    loss:    L = mean((y - t)^2)

The gradient must belong to the loss that is minimised. The output is linear, so its
error is dL/dy = 2 (y - t) / n, with no factor y (1 - y): that factor belongs to a
sigmoid, and the output has none. Going back through the hidden sigmoid the factor is
h (1 - h), with the h that the forward pass computed and kept.

Run it: ``python examples/backprop_by_hand.py``
"""

import numpy as np

import dotori
from dotori import nn


def forward(x, w1, b1, w2, b2):
    """The output, and the hidden activations that the way back needs."""
    h = 1 / (1 + np.exp(-(x @ w1.T + b1)))
    return h @ w2.T + b2, h


def gradients(x, t, w1, b1, w2, b2):
    """dL/dW1, dL/db1, dL/dW2, dL/db2, by the chain rule."""
    y, h = forward(x, w1, b1, w2, b2)
    delta_out = 2 * (y - t) / y.size
    delta_hidden = (delta_out @ w2) * h * (1 - h)
    return delta_hidden.T @ x, delta_hidden.sum(0), delta_out.T @ h, delta_out.sum(0)


def train(x, t, parameters, steps, learning_rate):
    """Plain gradient descent; gives the loss after each step."""
    losses = []
    for _ in range(steps):
        for p, g in zip(parameters, gradients(x, t, *parameters), strict=True):
            p -= learning_rate * g
        losses.append(np.mean((forward(x, *parameters)[0] - t) ** 2))
    return losses


def main():
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((16, 3)), rng.standard_normal((16, 2))
    model = nn.Sequential(
        nn.Linear(3, 4, dtype=np.float64),
        nn.Sigmoid(),
        nn.Linear(4, 2, dtype=np.float64),
    )
    loss = nn.MSELoss()(model(dotori.tensor(x)), dotori.tensor(t))
    loss.backward()
    parameters = [p.detach().numpy().copy() for p in model.parameters()]
    by_hand = gradients(x, t, *parameters)
    for (name, p), g in zip(model.named_parameters(), by_hand, strict=True):
        gap = np.abs(p.grad.numpy() - g).max()
        print(f"{name:9} {g.shape!s:7} largest difference {gap:.1e}")
    losses = train(x, t, parameters, steps=500, learning_rate=0.5)
    print(
        f"loss {loss.item():.4f} -> {losses[-1]:.4f} after {len(losses)} steps by hand"
    )


if __name__ == "__main__":
    main()
