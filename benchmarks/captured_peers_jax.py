"""The networks of `captured_workloads` by hand in JAX, and their training with optax.

Weights come from a state dict of PyTorch's, pictures lie with their channels last, and
a whole training step is one jitted function whose old weights are given up (donated).
`scanned` makes many steps one call, by `lax.scan`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
import transformer_training as transformer
from captured_workloads import Workload
from jax import lax
from jax import numpy as jnp

Weights = dict[str, Any]
#: weights, running statistics, input, key for masks or None -> output, statistics
Network = Callable[[Weights, Weights, Any, Any], tuple[Any, Weights]]

DROPOUT = {"mlp-small": 0.1}


def linear(w: Weights, name: str, x: Any) -> Any:
    return x @ w[f"{name}.weight"] + w[f"{name}.bias"]


def mlp(dropout: float) -> Network:
    def network(w: Weights, stats: Weights, x: Any, key: Any) -> tuple[Any, Weights]:
        names = sorted({int(name.partition(".")[0]) for name in w})
        for n in names:
            x = linear(w, str(n), x)
            if n != names[-1]:
                x = jax.nn.relu(x)
                if dropout and key is not None:
                    key, this = jax.random.split(key)
                    kept = jax.random.bernoulli(this, 1 - dropout, x.shape)
                    x = jnp.where(kept, x / (1 - dropout), 0)
        return x, stats

    return network


def conv(w: Weights, name: str, x: Any) -> Any:
    y = lax.conv_general_dilated(
        x,
        w[f"{name}.weight"],
        (1, 1),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def max_pool(x: Any) -> Any:
    """The largest of 2 x 2 places; the gradient of `reduce_window` is far slower."""
    x = jnp.maximum(x[:, ::2], x[:, 1::2])
    return jnp.maximum(x[:, :, ::2], x[:, :, 1::2])


def cnn(w: Weights, stats: Weights, x: Any, key: Any) -> tuple[Any, Weights]:
    x = max_pool(jax.nn.relu(conv(w, "0", x)))
    x = max_pool(jax.nn.relu(conv(w, "3", x)))
    x = jax.nn.relu(linear(w, "7", x.reshape(len(x), -1)))
    return linear(w, "9", x), stats


def batch_norm(
    w: Weights, stats: Weights, name: str, x: Any, training: bool
) -> tuple[Any, Weights]:
    mean, var = stats[f"{name}.running_mean"], stats[f"{name}.running_var"]
    new: Weights = {}
    if training:
        n = x.size // x.shape[-1]
        batch_mean, batch_var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        new[f"{name}.running_mean"] = 0.9 * mean + 0.1 * batch_mean
        new[f"{name}.running_var"] = 0.9 * var + 0.1 * batch_var * n / (n - 1)
        mean, var = batch_mean, batch_var
    scale = lax.rsqrt(var + 1e-5) * w[f"{name}.weight"]
    return (x - mean) * scale + w[f"{name}.bias"], new


def residual(w: Weights, stats: Weights, x: Any, key: Any) -> tuple[Any, Weights]:
    training, new = key is not None, dict(stats)
    for block in range(3):
        y, found = batch_norm(
            w, stats, f"{block}.bn1", conv(w, f"{block}.conv1", x), training
        )
        new |= found
        y = conv(w, f"{block}.conv2", jax.nn.relu(y))
        y, found = batch_norm(w, stats, f"{block}.bn2", y, training)
        new |= found
        x = jax.nn.relu(x + y)
    return x, new


def _rnn(h: Any, a: Any, b: Any) -> tuple[Any, Any]:
    h = jnp.tanh(a + b)
    return h, h


def _gru(h: Any, a: Any, b: Any) -> tuple[Any, Any]:
    (r, z, n), (hr, hz, hn) = jnp.split(a, 3, -1), jnp.split(b, 3, -1)
    z = jax.nn.sigmoid(z + hz)
    n = jnp.tanh(n + jax.nn.sigmoid(r + hr) * hn)
    h = (1 - z) * n + z * h
    return h, h


def _lstm(state: Any, a: Any, b: Any) -> tuple[Any, Any]:
    i, f, g, o = jnp.split(a + b, 4, -1)
    c = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def recurrent(cell: Callable[..., Any], unroll: int) -> Network:
    """The inputs' products of all times at once, then time by time."""

    def network(w: Weights, stats: Weights, x: Any, key: Any) -> tuple[Any, Weights]:
        recurrent_weight = w["layer.weight_hh_l0"]
        bias = w["layer.bias_hh_l0"]
        given = x @ w["layer.weight_ih_l0"] + w["layer.bias_ih_l0"]
        start = jnp.zeros((x.shape[1], recurrent_weight.shape[0]), x.dtype)
        pair = cell is _lstm

        def step(state: Any, a: Any) -> tuple[Any, Any]:
            h = state[0] if pair else state
            return cell(state, a, h @ recurrent_weight + bias)

        first = (start, start) if pair else start
        return lax.scan(step, first, given, unroll=unroll)[1], stats

    return network


def layer_norm(w: Weights, name: str, x: Any) -> Any:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]


def attention(w: Weights, name: str, x: Any) -> Any:
    n, length, features = x.shape
    heads = transformer.HEADS
    qkv = x @ w[f"{name}.in_proj_weight"] + w[f"{name}.in_proj_bias"]
    q, k, v = jnp.moveaxis(qkv.reshape(n, length, 3, heads, -1), 2, 0)
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k) / np.sqrt(features // heads)
    y = jnp.einsum("nhqk,nkhd->nqhd", jax.nn.softmax(scores), v)
    return linear(w, f"{name}.out_proj", y.reshape(x.shape))


def encoder(w: Weights, stats: Weights, x: Any, key: Any) -> tuple[Any, Weights]:
    for layer in range(transformer.LAYERS):
        name = f"layers.{layer}"
        x = layer_norm(w, f"{name}.norm1", x + attention(w, f"{name}.self_attn", x))
        y = jax.nn.relu(linear(w, f"{name}.linear1", x))
        x = layer_norm(w, f"{name}.norm2", x + linear(w, f"{name}.linear2", y))
    return x, stats


def network_of(workload: Workload, masks: bool = True) -> Network:
    """The network of a workload; without random masks where `masks` is false."""
    return {
        "mlp": mlp(DROPOUT.get(workload.name, 0.0) if masks else 0.0),
        "cnn": cnn,
        "residual": residual,
        "RNN": recurrent(_rnn, 1),
        "GRU": recurrent(_gru, 1),
        "LSTM": recurrent(_lstm, 1),
        "transformer": encoder,
    }[workload.family]


def weights_of(workload: Workload, like: Any) -> tuple[Weights, Weights]:
    """PyTorch's weights and running statistics, as the functions above want them."""
    weights = {
        name: jnp.array(_turned(workload, name, p.detach().numpy()))
        for name, p in like.named_parameters()
    }
    stats = {
        name: jnp.array(b.numpy()) for name, b in like.named_buffers() if b.ndim > 0
    }
    return weights, stats


def _turned(workload: Workload, name: str, weight: np.ndarray) -> np.ndarray:
    if weight.ndim == 4:
        return weight.transpose(2, 3, 1, 0)  # (H, W, in, out)
    if workload.family == "cnn" and name == "7.weight":  # sees (C, H, W), flat
        weight = weight.reshape(128, 64, 7, 7).transpose(0, 2, 3, 1).reshape(128, -1)
    return weight.T if weight.ndim == 2 else weight  # (in, out)


def data_of(workload: Workload, *arrays: np.ndarray) -> tuple[Any, ...]:
    """Arrays with the channels of pictures last."""
    return tuple(
        jnp.array(a.transpose(0, 2, 3, 1)) if a.ndim == 4 else jnp.array(a)
        for a in arrays
    )


def _loss(kind: str, output: Any, y: Any) -> Any:
    if kind == "mse_loss":
        return jnp.mean((output - y) ** 2)
    return optax.softmax_cross_entropy_with_integer_labels(output, y).mean()


def _training(
    workload: Workload, like: Any, masks: bool, generator: str
) -> tuple[Callable[..., Any], Any]:
    network, kind = network_of(workload, masks), workload.case.loss
    adam = optax.adam(1e-3)
    weights, stats = weights_of(workload, like)
    state = (weights, stats, adam.init(weights), jax.random.key(0, impl=generator))

    def loss_of(w: Weights, stats: Weights, x: Any, y: Any, key: Any) -> Any:
        output, stats = network(w, stats, x, key)
        return _loss(kind, output, y), stats

    def step(state: Any, batch: Any) -> tuple[Any, Any]:
        w, stats, moments, key = state
        key, this = jax.random.split(key) if workload.name in DROPOUT else (key, key)
        gradient = jax.value_and_grad(loss_of, has_aux=True)
        (loss, stats), grads = gradient(w, stats, *batch, this)
        changes, moments = adam.update(grads, moments)
        return (optax.apply_updates(w, changes), stats, moments, key), loss

    return step, state


def jitted(workload: Workload, like: Any, masks: bool = True) -> Callable[[], Any]:
    """One training step for each call, as one jitted function. It returns the loss."""
    # The quicker generator for one step; in a loop it is the other one.
    step, state = _training(workload, like, masks, "unsafe_rbg")
    run = jax.jit(step, donate_argnums=0)
    batch = data_of(workload, *workload.case.data())

    def call() -> Any:
        nonlocal state
        state, loss = run(state, batch)
        return loss

    return call


def scanned(
    workload: Workload, like: Any, steps: int, masks: bool = True
) -> Callable[[], np.ndarray]:
    """That many training steps, each with a batch of its own, for each call."""
    step, state = _training(workload, like, masks, "threefry2x32")
    run = jax.jit(partial(lax.scan, step), donate_argnums=0)
    data = data_of(workload, *workload.case.data())
    batches = tuple(jnp.stack([a] * steps) for a in data)

    def call() -> np.ndarray:
        nonlocal state
        state, losses = run(state, batches)
        return np.asarray(losses)

    return call


def inference(workload: Workload, like: Any, x: np.ndarray) -> Callable[[], Any]:
    """The network's outputs for `x`, in PyTorch's order of axes, for each call."""
    network = network_of(workload, masks=False)
    weights, stats = weights_of(workload, like)
    # The weights are constants of the program: XLA may lay them out as it likes.
    run = jax.jit(lambda x: network(weights, stats, x, None)[0])
    (given,) = data_of(workload, x)

    def call() -> np.ndarray:
        y = np.asarray(run(given))
        return y.transpose(0, 3, 1, 2) if y.ndim == 4 else y

    return call


def versions() -> str:
    return f"JAX {jax.__version__}, optax {optax.__version__}"
