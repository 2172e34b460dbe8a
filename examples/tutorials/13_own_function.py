"""A function of our own: Kepler's equation, solved forwards, differentiated on paper.

A planet's place E solves E - e sin E = M, where M grows evenly with time. There is no
formula for E, only Newton's method, and no need to differentiate its steps: deriving
both sides gives dE/dM = 1 / (1 - e cos E) and dE/de = sin E / (1 - e cos E).

Replace the import of dotori by `import torch`, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch


class Kepler(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mean, eccentricity):
        place = mean.clone()
        for _ in range(30):
            error = place - eccentricity * place.sin() - mean
            place = place - error / (1 - eccentricity * place.cos())
        ctx.save_for_backward(place, eccentricity)
        return place

    @staticmethod
    def backward(ctx, gradient):
        place, eccentricity = ctx.saved_tensors
        for_mean = gradient / (1 - eccentricity * place.cos())
        return for_mean, (for_mean * place.sin()).sum()


def orbit(times, period, start, eccentricity):
    """Where the planet is: an ellipse with the sun in one focus."""
    mean = 2 * torch.pi * (times / period + start)
    place = Kepler.apply(mean, eccentricity)
    x = place.cos() - eccentricity
    y = (1 - eccentricity**2).sqrt() * place.sin()
    return torch.stack([x, y])


def main():
    mean = torch.tensor(np.linspace(0.3, 6.0, 5), requires_grad=True)
    half = torch.tensor(np.array(0.5), requires_grad=True)
    right = torch.autograd.gradcheck(Kepler.apply, (mean, half))
    right = right and torch.autograd.gradgradcheck(Kepler.apply, (mean, half))
    print(f"the gradient agrees with finite differences: {right}")

    rng = np.random.default_rng(0)
    times = torch.tensor(np.sort(rng.uniform(0, 3, 60)))
    truth = [torch.tensor(np.array(value)) for value in (1.2, 0.1, 0.6)]
    seen = orbit(times, *truth) + torch.tensor(rng.normal(0, 0.01, (2, 60)))

    guess = [torch.tensor(np.array(v), requires_grad=True) for v in (1.1, 0.0, 0.3)]
    optimizer = torch.optim.Adam(guess, lr=0.02)
    for step in range(300):
        optimizer.zero_grad()
        loss = ((orbit(times, *guess) - seen) ** 2).mean()
        loss.backward()
        optimizer.step()
        if step % 60 == 0:
            print(f"step {step:3d}: loss {loss.item():.6f}")
    period, start, eccentricity = (value.item() for value in guess)
    print(f"period {period:.4f} (1.2), eccentricity {eccentricity:.4f} (0.6)")
    return {
        "loss": loss.item(),
        "period": period,
        "start": start,
        "eccentricity": eccentricity,
    }


if __name__ == "__main__":
    main()
