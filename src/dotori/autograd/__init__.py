"""The graph: what was computed from what, and the walk back through it.

Nothing in here knows any mathematics. An operation's value and gradient rule come from
its `Op` class; here they are run (`record.py`), kept (`graph.py`) and walked
(`walk.py`): reverse-mode differentiation as in Baydin, Pearlmutter, Radul and Siskind,
"Automatic differentiation in machine learning: a survey", JMLR 2018, section 3.2.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dotori.autograd.anomaly import detect_anomaly as detect_anomaly
from dotori.autograd.anomaly import set_detect_anomaly as set_detect_anomaly
from dotori.autograd.changes import note_change as note_change
from dotori.autograd.function import Function as Function
from dotori.autograd.function import once_differentiable as once_differentiable
from dotori.autograd.graph import Node as Node
from dotori.autograd.graph import Variable as Variable
from dotori.autograd.graph import as_variable as as_variable
from dotori.autograd.graph import leaf as leaf
from dotori.autograd.graph import wrap as wrap
from dotori.autograd.modes import enable_grad as enable_grad
from dotori.autograd.modes import inference_mode as inference_mode
from dotori.autograd.modes import is_grad_enabled as is_grad_enabled
from dotori.autograd.modes import no_grad as no_grad
from dotori.autograd.modes import observe as observe
from dotori.autograd.modes import set_grad_enabled as set_grad_enabled
from dotori.autograd.record import apply as apply
from dotori.autograd.record import binary as binary
from dotori.autograd.record import unary as unary
from dotori.autograd.record import use_tensor_class as use_tensor_class
from dotori.autograd.walk import backward as backward
from dotori.autograd.walk import grad as grad
from dotori.autograd.walk import start_gradient as start_gradient
from dotori.autograd.walk import unbroadcast as unbroadcast

if TYPE_CHECKING:
    from dotori._gradcheck import gradcheck as gradcheck
    from dotori._gradcheck import gradgradcheck as gradgradcheck
    from dotori.autograd import functional as functional


def __getattr__(name: str) -> Any:
    """What few programs need is loaded when they do."""
    if name == "functional":
        return import_module("dotori.autograd.functional")
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(import_module("dotori._gradcheck"), name)
    raise AttributeError(f"module 'dotori.autograd' has no attribute {name!r}")
