"""Kernels: the loops of the textbook, beside the NumPy code that they agree with."""

from dotori.kernels._compiler import inner as inner
from dotori.kernels._compiler import pending as pending
from dotori.kernels._pair import Pair as Pair
from dotori.kernels._pair import Placeholder as Placeholder
from dotori.kernels._pair import paired as paired
from dotori.kernels._pair import registry as registry
from dotori.kernels._pair import use as use
from dotori.kernels._threads import in_parallel as in_parallel
from dotori.kernels._threads import number as number
from dotori.kernels._threads import one_blas_thread as one_blas_thread
from dotori.kernels._threads import product as product
