"""A residual network on scikit-learn's handwritten digits of 8 x 8 pixels.

The shape of K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
recognition", CVPR 2016, section 4.2: a 3 x 3 convolution, then stages of residual
blocks, of which each but the first halves the picture and doubles the channels, a mean
over what is left, and one linear layer. The pictures here are small, so are the stages:
16 and 32 channels, of one block or more.

``python examples/resnet.py`` reaches 99.4 % of the test pictures in half a minute on
2 cores AMD EPYC, Zen 3; the same program on PyTorch, from its own initial weights,
99.7 %, which is one picture of 360 more.
"""

import argparse
import time

import numpy as np

import dotori
from dotori import nn, optim
from dotori.data import load_builtin


class Block(nn.Module):
    """relu(x + F(x)), F being two 3 x 3 convolutions with batch normalisation.

    Where the shape changes, x goes through a 1 x 1 convolution (option B of the paper).
    """

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + self.shortcut(x)).relu()


class ResNet(nn.Module):
    """(n, 1, height, width) -> (n, 10)."""

    def __init__(self, widths=(16, 32), blocks=2):
        super().__init__()
        self.conv = nn.Conv2d(1, widths[0], 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(widths[0])
        layers, before = [], widths[0]
        for stage, width in enumerate(widths):
            for number in range(blocks):
                stride = 2 if stage and not number else 1
                layers.append(Block(before, width, stride))
                before = width
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Linear(before, 10)

    def forward(self, x):
        x = self.blocks(self.bn(self.conv(x)).relu())
        return self.head(x.mean(dim=(2, 3)))


def load():
    """1437 pictures to train and 360 to test: (pictures, classes) of each."""
    table = load_builtin("digits")
    names = [name for name in table.names if name != "target"]
    pixels = np.stack([table[name].values for name in names], axis=1)
    pictures = (pixels.reshape(-1, 1, 8, 8) / 8 - 1).astype(np.float32)
    classes = np.asarray(table["target"].values, dtype=np.int64)
    order = np.random.default_rng(0).permutation(len(classes))
    pictures, classes = pictures[order], classes[order]
    border = len(classes) * 8 // 10
    return (pictures[:border], classes[:border]), (pictures[border:], classes[border:])


def moved(pictures, rng):
    """Each picture moved by up to one pixel."""
    n, _, height, width = pictures.shape
    framed = np.pad(pictures, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-1)
    rows = rng.integers(0, 3, (n, 1)) + np.arange(height)
    columns = rng.integers(0, 3, (n, 1)) + np.arange(width)
    return framed[np.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None]][
        :, None
    ]


def accuracy(model, pictures, classes):
    model.eval()
    with dotori.no_grad():
        found = model(dotori.tensor(pictures)).numpy().argmax(axis=1)
    model.train()
    return float((found == classes).mean())


def main(epochs=20, blocks=2, batch=64, seed=0, data=None):
    """Train; returns the mean loss of each epoch, and the test accuracy at the end."""
    dotori.manual_seed(seed)
    rng = np.random.default_rng(seed)
    (pictures, classes), test = load() if data is None else data
    model = ResNet(blocks=blocks)
    steps = len(classes) // batch
    optimizer = optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, 0.1, epochs=epochs, steps_per_epoch=steps
    )
    loss_of = nn.CrossEntropyLoss()
    losses, started = [], time.perf_counter()
    for epoch in range(1, epochs + 1):
        order, total = rng.permutation(len(classes)), 0.0
        for step in range(steps):
            chosen = order[step * batch : (step + 1) * batch]
            x = dotori.tensor(moved(pictures[chosen], rng))
            loss = loss_of(model(x), dotori.tensor(classes[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        losses.append(total / steps)
        if epoch % 5 == 0 or epoch == epochs:
            print(
                f"epoch {epoch:2d}: loss {losses[-1]:.4f}, test accuracy "
                f"{accuracy(model, *test):.2%}, {time.perf_counter() - started:.0f} s"
            )
    return {"losses": losses, "accuracy": accuracy(model, *test)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=2, help="in each stage")
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
