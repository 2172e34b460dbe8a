"""Threads do not disturb each other, and long runs do not grow."""

import gc
import threading
import tracemalloc

import numpy as np

import dotori
from dotori import nn, optim
from dotori.random import use_generator


def train(seed, steps=60):
    """The weights of a small network after some steps, all chance from the seed."""
    with use_generator(dotori.Generator(seed)):
        model = nn.Sequential(
            nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1)
        )
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        x, y = dotori.randn(32, 4), dotori.randn(32, 1)
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    return np.concatenate([p.array.ravel() for p in model.parameters()])


def test_eight_threads_train_as_one_does():
    alone = [train(seed) for seed in range(8)]
    found = [None] * 8

    def work(seed):
        found[seed] = train(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(alone, found, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(alone[0], alone[1])


def test_eight_threads_predict_with_one_model():
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1)).eval()
    x = dotori.randn(64, 4)
    expected, wrong = model(x).detach().numpy(), []

    def work():
        for _ in range(100):
            with dotori.no_grad():
                if not np.array_equal(model(x).numpy(), expected):
                    wrong.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_steps_leave_no_memory_behind():
    model = nn.Sequential(
        nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1)
    )
    optimizer = optim.Adam(model.parameters())
    x, y = dotori.randn(32, 4), dotori.randn(32, 1)

    def steps(n):
        for i in range(n):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            if i % 10 == 0:
                try:
                    loss.register_hook(lambda g: 1 / 0)
                    loss.backward()
                except ZeroDivisionError:
                    continue
            loss.backward()
            optimizer.step()

    steps(100)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, objects = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
        steps(1000)
        grown = tracemalloc.get_traced_memory()[0] - before
        assert grown < 100_000, f"{grown} bytes more"
        assert len(gc.get_objects()) - objects < 100
    finally:
        tracemalloc.stop()
        gc.enable()
