"""A generative adversarial network on a ring of eight Gaussians.

The generator G makes points of noise, the discriminator D tells them from real ones:

    D minimises -log D(x) - log(1 - D(G(z))),   G minimises -log D(G(z))

(I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014; the second is its
loss "in practice", whose gradient does not vanish while D is winning.) The ring is the
classic trap: a generator that has found some of the eight modes fools D from there.
Noise on what D sees, fading out over the first half of the training, makes the modes
overlap, so that G feels those it has not found (C. K. Sonderby et al., "Amortised MAP
inference for image super-resolution", ICLR 2017, section 3.2).

``python examples/gan.py`` covers all 8 modes, with 78 % of the points within three
deviations of one, in three quarters of a minute on 2 cores AMD EPYC, Zen 3; the same
program on PyTorch covers 8, with 79 %. Without the noise it covers 5.
"""

import argparse
import copy
import time

import numpy as np

import dotori
from dotori import nn, optim

MODES, SPREAD = 8, 0.05
NOISE, HIDDEN = 16, 128
BLUR = 0.5  # the width of the noise that D sees, at first


def centres():
    """The eight means, on the unit circle: shape (8, 2)."""
    angle = 2 * np.pi * np.arange(MODES) / MODES
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def real_points(n, rng):
    """n points of the mixture, float32, shape (n, 2)."""
    points = centres()[rng.integers(0, MODES, n)]
    return (points + SPREAD * rng.standard_normal((n, 2))).astype(np.float32)


def network(inputs, outputs):
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN),
        nn.LeakyReLU(0.2),
        nn.Linear(HIDDEN, HIDDEN),
        nn.LeakyReLU(0.2),
        nn.Linear(HIDDEN, outputs),
    )


def judge(points):
    """How many modes are covered, and the share of points near one (3 deviations).

    A mode counts as covered with a quarter of its fair share of near points.
    """
    distance = np.linalg.norm(points[:, None] - centres(), axis=2)
    near = distance.min(axis=1) < 3 * SPREAD
    counts = np.bincount(distance.argmin(axis=1)[near], minlength=MODES)
    covered = int((counts > len(points) / MODES / 4).sum())
    return covered, float(near.mean())


def average_into(mean, model, decay):
    """mean <- decay mean + (1 - decay) model, parameter by parameter."""
    with dotori.no_grad():
        for m, p in zip(mean.parameters(), model.parameters(), strict=True):
            m.mul_(decay).add_(p, alpha=1 - decay)


def blurred(points, width):
    """The points with noise on them."""
    return points + width * dotori.randn_like(points)


def main(steps=6000, batch=256, seed=0):
    """Train; returns the losses, the modes covered, and the share near a mode."""
    dotori.manual_seed(seed)
    rng = np.random.default_rng(seed)
    generator, discriminator = network(NOISE, 2), network(2, 1)
    # The players circle around their equilibrium; the mean of the path is nearer to it.
    mean = copy.deepcopy(generator)
    optimizers = {
        "G": optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.99)),
        "D": optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99)),
    }
    schedules = [
        optim.lr_scheduler.LinearLR(o, 1.0, 0.02, steps) for o in optimizers.values()
    ]
    loss_of = nn.BCEWithLogitsLoss()
    ones, zeros = dotori.ones(batch, 1), dotori.zeros(batch, 1)
    losses, started = {"G": [], "D": []}, time.perf_counter()
    for step in range(1, steps + 1):
        width = BLUR * max(0.0, 1 - 2 * step / steps)
        fake = blurred(generator(dotori.randn(batch, NOISE)), width)
        real = blurred(dotori.tensor(real_points(batch, rng)), width)
        # D learns from fakes that carry no graph: G is not to move yet.
        d_loss = loss_of(discriminator(real), ones)
        d_loss = d_loss + loss_of(discriminator(fake.detach()), zeros)
        optimizers["D"].zero_grad()
        d_loss.backward()
        optimizers["D"].step()
        g_loss = loss_of(discriminator(fake), ones)
        optimizers["G"].zero_grad()
        g_loss.backward()
        optimizers["G"].step()
        average_into(mean, generator, 0.995)
        for schedule in schedules:
            schedule.step()
        losses["D"].append(d_loss.item())
        losses["G"].append(g_loss.item())
        if step % 1000 == 0 or step == steps:
            with dotori.no_grad():
                points = mean(dotori.randn(10_000, NOISE)).numpy()
            covered, near = judge(points)
            print(
                f"step {step:5d}: D {d_loss.item():.3f}, G {g_loss.item():.3f}, "
                f"{covered} of {MODES} modes, {near:.1%} near a mode"
            )
    print(f"{time.perf_counter() - started:.0f} s")
    return {"losses": losses, "modes": covered, "near": near}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
