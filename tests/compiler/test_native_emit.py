"""The source of native steps, run as plain Python, computes what the reference does."""

import numpy as np
import pytest
from hypothesis import given
from plain_step import PlainStep
from programs import Case, checked, programs

from dotori.compiler.native import plan as native_plan
from dotori.compiler.native.plan import NativePlan


@pytest.fixture(autouse=True, scope="module")
def plain():
    """Without Numba: steps are the Python that they are written in."""
    loads = pytest.MonkeyPatch()
    loads.setattr(native_plan.runtime, "load", PlainStep)
    yield
    loads.undo()


@given(programs())
def test_the_source_is_equal_to_the_reference(case: Case):
    checked(case, NativePlan(case.program, threads=1).run)
