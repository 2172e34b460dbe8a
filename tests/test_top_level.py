"""What programs written for PyTorch find under its names: devices, random state, threads."""

import copy
import math
import pickle

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError


def test_constants():
    assert (dotori.pi, dotori.e, dotori.inf) == (math.pi, math.e, math.inf)
    assert math.isnan(dotori.nan)
    assert dotori.ones(3)[:, dotori.newaxis].shape == (3, 1)


def test_a_device_is_a_text_with_parts():
    cpu, cuda = dotori.device("cpu"), dotori.device("cuda", 1)
    assert (cpu.type, cpu.index, str(cpu)) == ("cpu", None, "cpu")
    assert (cuda.type, cuda.index, str(cuda)) == ("cuda", 1, "cuda:1")
    assert dotori.device(1) == cuda == "cuda:1" and dotori.device(cuda) == cuda
    assert repr(cuda) == "device('cuda:1')" and f"{cuda}" == "cuda:1"
    assert copy.deepcopy(cuda) == pickle.loads(pickle.dumps(cuda)) == cuda
    for wrong in ("gpu", "cuda:x", "cuda:", "cpu:-1"):
        with pytest.raises(ArgumentError, match="device must be"):
            dotori.device(wrong)


def test_programs_choose_a_device():
    device = dotori.device("cpu" if dotori.cuda.device_count() < 99 else "cuda")
    model = dotori.nn.Linear(2, 1).to(device)
    x = dotori.ones(3, 2, device=device)
    y = model(x).cpu()
    assert x.to(device) is x and y.device.type == "cpu" and y.is_cpu and not y.is_cuda
    assert dotori.cuda.is_available() == (dotori.cuda.device_count() > 0)


def test_the_state_of_random_numbers_can_be_kept():
    before = dotori.get_rng_state()
    try:
        dotori.manual_seed(3)
        state = dotori.get_rng_state()
        first = dotori.randn(4).tolist()
        assert dotori.randn(4).tolist() != first
        dotori.set_rng_state(state)
        assert dotori.randn(4).tolist() == first
        fresh = dotori.seed()
        assert dotori.initial_seed() == fresh != dotori.seed()
        again = dotori.Generator(dotori.initial_seed()).normal(4)
        assert np.array_equal(dotori.default_generator().normal(4), again)
    finally:
        dotori.set_rng_state(before)


def test_the_number_of_threads():
    pytest.importorskip("threadpoolctl", reason="it counts and sets the threads")
    before = dotori.get_num_threads()
    try:
        dotori.set_num_threads(1)
        assert dotori.get_num_threads() == 1
    finally:
        dotori.set_num_threads(before)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ArgumentError, match="positive integer"):
            dotori.set_num_threads(wrong)


def test_small_things_of_tensors():
    x = dotori.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    assert 4.0 in y and 3.0 not in y and complex(dotori.tensor(1 + 2j)) == 1 + 2j
    assert not y.retains_grad and not x.retains_grad
    y.retain_grad()
    assert y.retains_grad
    copied = dotori.clone(y)
    copied.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and y.grad.tolist() == [1.0, 1.0]
    outside = dotori.detach(y)
    assert not outside.requires_grad and np.shares_memory(outside.array, y.array)
