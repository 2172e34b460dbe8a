"""A data set of our own, read in batches by a DataLoader.

Replace the imports of dotori by those of torch (`dotori.data` is `torch.utils.data`
there), and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim
from dotori.data import DataLoader, Dataset


class Windows(Dataset):
    """Pieces of a signal, each with the value that comes next."""

    def __init__(self, signal, width):
        self.signal = signal
        self.width = width

    def __len__(self):
        return len(self.signal) - self.width

    def __getitem__(self, i):
        window = self.signal[i : i + self.width]
        return torch.tensor(window), torch.tensor(self.signal[i + self.width])


def make_signal(n):
    rng = np.random.default_rng(2)
    t = np.arange(n)
    return np.sin(t / 5) + 0.5 * np.sin(t / 3) + 0.05 * rng.standard_normal(n)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1)).double()


def mean_loss(model, loader, loss_function):
    """The loss over all of the data, each element counting the same."""
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            total += loss_function(model(x).squeeze(1), y).item() * len(x)
    return total / len(loader.dataset)


def main(model=None):
    model = make_model() if model is None else model
    signal = make_signal(600)
    train = DataLoader(Windows(signal[:450], 12), batch_size=32)
    test = DataLoader(Windows(signal[450:], 12), batch_size=100)
    loss_function = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(12):
        for x, y in train:
            optimizer.zero_grad()
            loss = loss_function(model(x).squeeze(1), y)
            loss.backward()
            optimizer.step()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d}: {mean_loss(model, train, loss_function):.5f}")
    figures = {
        "train": mean_loss(model, train, loss_function),
        "test": mean_loss(model, test, loss_function),
    }
    print(f"on the rest of the signal: {figures['test']:.5f}")
    return figures


if __name__ == "__main__":
    main()
