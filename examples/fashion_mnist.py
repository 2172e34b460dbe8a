"""A convolutional network on Fashion-MNIST.

Two blocks of convolution, batch normalisation, ReLU and max-pooling, a hidden layer
with dropout; Adam with decoupled weight decay on a one-cycle schedule (L. Smith and
N. Topin, "Super-convergence", 2018); pictures are mirrored at random.

``python examples/fashion_mnist.py`` reaches 92.3 % of the test pictures after 6 epochs,
in four minutes on 2 cores AMD EPYC, Zen 3, busy with other work. The results
published with the data set are 91.6 % to 92.5 % for two convolutions with pooling or
less than 100,000 parameters, and 93.4 % with batch normalisation as well.

The data come from the folder given, from Debian's package dataset-fashion-mnist, or by
``--download``.
"""

import argparse
import time

import numpy as np

import dotori
from dotori import nn, optim
from dotori.data import FashionMNIST

# Of the pixels of the training pictures.
MEAN, DEVIATION = 0.2860, 0.3530


def block(inputs, outputs):
    """Halves the height and the width."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


def make_model(channels=(32, 64), hidden=128, dropout=0.25):
    """(n, 1, 28, 28) -> (n, 10)."""
    return nn.Sequential(
        block(1, channels[0]),
        block(channels[0], channels[1]),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(channels[1] * 49, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, 10),
    )


def load(root=None, download=False):
    """(pictures as in the files, classes), to train and to test."""
    parts = [FashionMNIST(root, train=t, download=download) for t in (True, False)]
    return [(part.data.numpy(), part.targets.numpy()) for part in parts]


def normal(pictures):
    """uint8 (n, 28, 28) -> float32 (n, 1, 28, 28) of mean 0 and deviation 1."""
    scaled = pictures[:, None].astype(np.float32) / np.float32(255 * DEVIATION)
    return dotori.tensor(scaled - np.float32(MEAN / DEVIATION))


def mirrored(pictures, rng):
    """Each picture as it is, or mirrored, with equal chances."""
    chosen = rng.random(len(pictures)) < 0.5
    return np.where(chosen[:, None, None], pictures[:, :, ::-1], pictures)


def accuracy(model, pictures, classes, batch=500):
    """The share of pictures whose class is the most likely one."""
    model.eval()
    right = 0
    with dotori.no_grad():
        for start in range(0, len(classes), batch):
            scores = model(normal(pictures[start : start + batch])).numpy()
            right += (scores.argmax(axis=1) == classes[start : start + batch]).sum()
    model.train()
    return float(right / len(classes))


def main(
    epochs=6,
    batch=64,
    lr=3e-3,
    seed=0,
    root=None,
    download=False,
    data=None,
    model=None,
):
    """Train; returns the mean loss of each epoch, and the test accuracy at the end."""
    dotori.manual_seed(seed)
    rng = np.random.default_rng(seed)
    (pictures, classes), test = load(root, download) if data is None else data
    model = make_model() if model is None else model
    steps = len(classes) // batch
    optimizer = optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, lr, epochs=epochs, steps_per_epoch=steps
    )
    loss_of = nn.CrossEntropyLoss()
    losses, started = [], time.perf_counter()
    for epoch in range(1, epochs + 1):
        order, total = rng.permutation(len(classes)), 0.0
        for step in range(steps):
            chosen = order[step * batch : (step + 1) * batch]
            x = normal(mirrored(pictures[chosen], rng))
            loss = loss_of(model(x), dotori.tensor(classes[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        losses.append(total / steps)
        reached = accuracy(model, *test)
        print(
            f"epoch {epoch:2d}: loss {losses[-1]:.4f}, test accuracy {reached:.2%}, "
            f"{time.perf_counter() - started:.0f} s"
        )
    return {"losses": losses, "accuracy": reached}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--root", help="folder with the four files")
    parser.add_argument("--download", action="store_true", help="if they are not there")
    main(**vars(parser.parse_args()))
