"""A physics-informed network: Burgers' equation from its residual alone.

    u_t + u u_x = nu u_xx,   u(x, 0) = -sin(pi x),   u(-1, t) = u(1, t) = 0

The network u(x, t) sees no solution. It is trained on the square of the equation's
residual at points inside of the domain, whose derivatives `autograd.grad` takes through
the network with ``create_graph=True``, so that the loss has a gradient as well: three
derivatives deep. M. Raissi, P. Perdikaris and G. E. Karniadakis, "Physics-informed
neural networks", Journal of Computational Physics 378 (2019), 686-707.

The exact solution is an integral (E. Hopf, "The partial differential equation u_t + u
u_x = mu u_xx", 1950), here by Gauss-Hermite quadrature.

``python examples/pinn.py`` comes to a relative L2 error of 9.1e-4 in half a minute on 2
cores AMD EPYC, Zen 3; the same program on PyTorch, from its own initial weights, to
1.1e-3. The paper reaches 6.7e-4 where the viscosity is 0.01 / pi, for which it takes a
network twice as deep and ten times as many points; here it is 0.05.
"""

import argparse
import time

import numpy as np

import dotori
from dotori import nn, optim

VISCOSITY = 0.05


def exact(x, t, viscosity, order=200):
    """The solution of Burgers' equation from -sin(pi x), for t > 0.

    u = -int sin(pi (x - s)) f(x - s) g(s) ds / int f(x - s) g(s) ds, with
    f(y) = exp(-cos(pi y) / (2 pi nu)) and g the normal density of variance 2 nu t.
    """
    nodes, weights = np.polynomial.hermite.hermgauss(order)
    y = x[..., None] - np.sqrt(4 * viscosity * t[..., None]) * nodes
    power = -np.cos(np.pi * y) / (2 * np.pi * viscosity)
    f = weights * np.exp(power - power.max(axis=-1, keepdims=True))
    return -(np.sin(np.pi * y) * f).sum(axis=-1) / f.sum(axis=-1)


def make_model(width, depth):
    """(n, 2) -> (n, 1), of tanh layers: the equation needs second derivatives."""
    layers = [nn.Linear(2, width), nn.Tanh()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(width, 1)).double()
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def gradient(y, x):
    """dy/dx at each point, itself a part of the graph."""
    return dotori.autograd.grad(y.sum(), x, create_graph=True)[0]


def residual(model, x, t, viscosity):
    """u_t + u u_x - nu u_xx at the points (x, t), each of shape (n, 1)."""
    u = model(dotori.cat([x, t], dim=1))
    u_t, u_x = gradient(u, t), gradient(u, x)
    return u_t + u * u_x - viscosity * gradient(u_x, x)


def make_points(inside, seed):
    """Points inside of the domain, and those at its edges with their values."""
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(-1, 1, (inside, 1)), rng.uniform(0, 1, (inside, 1))
    start = np.linspace(-1, 1, 100)
    later = np.linspace(0, 1, 50)
    walls = [np.stack([np.full(50, side), later], axis=1) for side in (-1.0, 1.0)]
    edge = np.concatenate([np.stack([start, np.zeros(100)], axis=1), *walls])
    value = np.concatenate([-np.sin(np.pi * start), np.zeros(100)])[:, None]
    return x, t, edge, value


def relative_error(model, viscosity):
    """The L2 norm of the error over that of the exact solution, on a grid."""
    x, t = np.meshgrid(np.linspace(-1, 1, 256), np.linspace(0.01, 1, 100))
    truth = exact(x, t, viscosity)
    with dotori.no_grad():
        grid = dotori.tensor(np.stack([x.ravel(), t.ravel()], axis=1))
        found = model(grid).numpy().reshape(x.shape)
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def main(iterations=1500, inside=1000, width=20, depth=4, viscosity=VISCOSITY, seed=0):
    """Train; returns the losses along the way and the relative error at the end."""
    dotori.manual_seed(seed)
    model = make_model(width, depth)
    inner_x, inner_t, edge, value = map(dotori.tensor, make_points(inside, seed))
    inner_x.requires_grad_()
    inner_t.requires_grad_()
    optimizer = optim.LBFGS(
        model.parameters(),
        max_iter=min(100, iterations),
        history_size=50,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        r = residual(model, inner_x, inner_t, viscosity)
        loss = (r**2).mean() + ((model(edge) - value) ** 2).mean()
        loss.backward()
        return loss

    losses, started = [], time.perf_counter()
    for done in range(0, iterations, 100):
        losses.append(optimizer.step(closure).item())
        if done % 500 == 0:
            print(f"{done:5d} iterations: loss {losses[-1]:.2e}")
    losses.append(closure().item())
    error = relative_error(model, viscosity)
    seconds = time.perf_counter() - started
    print(f"loss {losses[-1]:.2e}, relative L2 error {error:.2e}, {seconds:.0f} s")
    return {"losses": losses, "error": error}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--iterations", type=int, default=1500, help="of L-BFGS")
    parser.add_argument("--inside", type=int, default=1000, help="points inside")
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
