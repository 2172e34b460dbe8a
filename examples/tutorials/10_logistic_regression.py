"""Logistic regression with L-BFGS: probabilities, and what each input contributes.

Replace the imports of dotori by those of torch, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim

INPUTS = ("age", "pulse", "sleep", "noise")
TRUE = np.array([1.2, 0.8, -1.5, 0.0])


def make_patients(n):
    """Standardised measurements, and whether each patient fell ill."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((n, 4))
    ill = rng.uniform(size=n) < 1 / (1 + np.exp(-(x @ TRUE - 0.5)))
    return torch.tensor(x), torch.tensor(ill.astype(np.float64))


def make_model():
    torch.manual_seed(0)
    return nn.Linear(4, 1).double()


def main(model=None):
    model = make_model() if model is None else model
    x, y = make_patients(1000)
    # There are fewer ill patients: each counts for as much as they are rarer.
    weight = (len(y) - y.sum()) / y.sum()
    loss_function = nn.BCEWithLogitsLoss(pos_weight=weight)
    optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = loss_function(model(x).squeeze(1), y)
        loss = loss + 1e-3 * (model.weight**2).sum()
        loss.backward()
        return loss

    for step in range(3):
        loss = optimizer.step(closure)
        print(f"step {step}: loss {loss.item():.6f}")
    for name, value in zip(INPUTS, model.weight[0].tolist(), strict=True):
        print(f"{name:6s} {value:+.3f}")
    with torch.no_grad():
        probability = torch.sigmoid(model(x).squeeze(1))
        accuracy = ((probability > 0.5) == (y > 0.5)).double().mean().item()
        brier = nn.functional.mse_loss(probability, y).item()
    print(f"right: {accuracy:.3f}, Brier score {brier:.4f}")
    return {"loss": loss.item(), "weights": model.weight[0].tolist(), "brier": brier}


if __name__ == "__main__":
    main()
