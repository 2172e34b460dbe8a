"""Truncated back-propagation through time: a long sequence, learnt window by window.

To go back through 2,000 steps would take the memory of 2,000 steps. So the sequence is
cut into windows (Williams and Peng, "An efficient gradient-based algorithm for on-line
training of recurrent network trajectories", 1990):

    for each window:
        outputs, state = model(window, state)       the state of the window before
        loss.backward()                             gradients of this window alone
        state = state.detach()                      its numbers stay, its past goes

The state carries what happened before into the next window, so the network can use it;
only the gradient ends at the window's beginning.

The task: of a noisy sum of two sines, foretell the next value.

Run it: ``python examples/truncated_bptt.py``
"""

import numpy as np

import dotori
from dotori import nn, optim


def signal(steps, seed=0):
    """Two sines whose periods do not divide each other, and some noise."""
    t = np.arange(steps + 1)
    clean = np.sin(t / 5) + 0.5 * np.sin(t / 13)
    noise = 0.05 * np.random.default_rng(seed).standard_normal(steps + 1)
    return (clean + noise).astype(np.float32)


class Forecaster(nn.Module):
    """A GRU that reads one value a step, and a layer that says what comes next."""

    def __init__(self, hidden_size=16):
        super().__init__()
        self.recurrent = nn.GRU(1, hidden_size)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x, state):
        outputs, state = self.recurrent(x, state)
        return self.head(outputs), state


def train(model, values, window=50, epochs=8):
    """The mean loss of each epoch."""
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    loss_of = nn.MSELoss()
    losses = []
    for _ in range(epochs):
        state, total, windows = None, 0.0, range(0, len(values) - 1, window)
        for start in windows:
            x = values[start : start + window, None]  # one sequence: (time, features)
            target = values[start + 1 : start + window + 1, None]
            output, state = model(x, state)
            loss = loss_of(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state = state.detach()
            total += loss.item()
        losses.append(total / len(windows))
    return losses


def main():
    dotori.manual_seed(0)
    values = dotori.tensor(signal(2000))
    losses = train(Forecaster(), values)
    for epoch, loss in enumerate(losses, start=1):
        print(f"epoch {epoch}: mean squared error {loss:.4f}")
    print("of the noise alone, which nobody can foretell, at least 0.0025")


if __name__ == "__main__":
    main()
