"""A tour of optimisers: the same start, the same problem, fifty steps each.

Replace the imports of dotori by those of torch, and the program runs on PyTorch.
"""

import dotori as torch
from dotori import nn, optim

CHOICES = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "SGD with momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "SGD with Nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, lr=1.0),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.02),
    "AdamW": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.01),
    "Adamax": lambda p: optim.Adamax(p, lr=0.02),
    "NAdam": lambda p: optim.NAdam(p, lr=0.02),
    "RAdam": lambda p: optim.RAdam(p, lr=0.02),
    "ASGD": lambda p: optim.ASGD(p, lr=0.05),
    "Rprop": lambda p: optim.Rprop(p, lr=0.01),
    "Adafactor": lambda p: optim.Adafactor(p, lr=0.1),
    "LBFGS": lambda p: optim.LBFGS(p, line_search_fn="strong_wolfe", max_iter=2),
}


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)).double()


def main(model=None):
    model = make_model() if model is None else model
    start = {name: p.clone().detach() for name, p in model.state_dict().items()}
    x = torch.linspace(-1, 1, 100, dtype=torch.float64).reshape(-1, 1)
    y = torch.cos(3 * x)
    loss_function = nn.MSELoss()
    figures = {}
    for name, choose in CHOICES.items():
        model.load_state_dict(start)
        optimizer = choose(model.parameters())

        def closure(optimizer=optimizer):
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            return loss

        for _ in range(50):
            loss = optimizer.step(closure)
        figures[name] = loss.item()
        print(f"{name:18s} loss {loss.item():.6f}")
    return figures


if __name__ == "__main__":
    main()
