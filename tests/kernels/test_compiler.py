"""What compiling in a thread has to know: of the process, and of the arguments."""

import sys
import types

import numpy as np
import pytest

from dotori.kernels import _compiler


def test_a_module_that_is_still_being_imported_does_no_harm(monkeypatch):
    half = types.ModuleType("multiprocessing")
    monkeypatch.setitem(sys.modules, "multiprocessing", half)
    assert not _compiler.is_child()
    half.parent_process = lambda: None
    assert not _compiler.is_child()
    half.parent_process = object
    assert _compiler.is_child()


def test_kinds_of_arguments_that_the_compiling_thread_is_told():
    numba = pytest.importorskip("numba", reason="its types are compared")
    frozen = np.zeros((2, 3), np.float32)
    frozen.flags.writeable = False
    for value in (frozen, np.zeros((4, 2)).T, (1, 2), 7, True):
        note = _compiler._note(value, np.float32)
        assert _compiler._type_of(note) == numba.typeof(value)
    assert _compiler._type_of(_compiler._note(1.5, np.float32)) == numba.float32
