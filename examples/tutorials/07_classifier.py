"""A classifier of small pictures: cross-entropy, accuracy, a table of mistakes.

The pictures are drawn here: 6 x 6 pixels with a bar, a column, a cross or a frame, and
noise. Replace the imports of dotori by those of torch (`dotori.data` is
`torch.utils.data` there), and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim
from dotori.data import DataLoader, TensorDataset

CLASSES = ("bar", "column", "cross", "frame")


def draw(n, seed):
    """n pictures as rows of 36 pixels, and their classes."""
    rng = np.random.default_rng(seed)
    pictures, classes = np.zeros((n, 6, 6)), rng.integers(0, 4, n)
    for picture, kind in zip(pictures, classes, strict=True):
        row, column = rng.integers(1, 5, 2)
        if kind in (0, 2):
            picture[row] = 1
        if kind in (1, 2):
            picture[:, column] = 1
        if kind == 3:
            picture[[0, -1]] = picture[:, [0, -1]] = 1
    pictures += 0.35 * rng.standard_normal(pictures.shape)
    return torch.tensor(pictures.reshape(n, 36)), torch.tensor(classes)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(36, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4)
    ).double()


def main(model=None):
    model = make_model() if model is None else model
    loader = DataLoader(TensorDataset(*draw(800, seed=0)), batch_size=50)
    loss_function = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(8):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = loss_function(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}")
    model.eval()
    x, y = draw(400, seed=1)
    with torch.no_grad():
        scores = model(x)
        predicted = scores.argmax(dim=1)
        test_loss = loss_function(scores, y).item()
    accuracy = (predicted == y).sum().item() / len(y)
    for i, name in enumerate(CLASSES):
        row = [((predicted == j) & (y == i)).sum().item() for j in range(4)]
        print(f"{name:7s}", row)
    print(f"test: loss {test_loss:.4f}, accuracy {accuracy:.3f}")
    return {"train": total / len(loader), "test": test_loss, "accuracy": accuracy}


if __name__ == "__main__":
    main()
