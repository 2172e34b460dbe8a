"""Whether a process is somebody's child: it compiles nothing then."""

import sys
import types

from dotori.kernels import _compiler


def test_a_module_that_is_still_being_imported_does_no_harm(monkeypatch):
    half = types.ModuleType("multiprocessing")
    monkeypatch.setitem(sys.modules, "multiprocessing", half)
    assert not _compiler.is_child()
    half.parent_process = lambda: None
    assert not _compiler.is_child()
    half.parent_process = object
    assert _compiler.is_child()
