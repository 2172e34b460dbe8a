"""Learning-rate schedules: PyTorch's names, rates and state-dict keys.

A schedule computes each rate from the one that is set now, so schedules can be chained
and rates changed by hand; with `SequentialLR` they follow one another.
"""

from dotori.optim.lr_scheduler.base import LRScheduler as LRScheduler
from dotori.optim.lr_scheduler.combined import ChainedScheduler as ChainedScheduler
from dotori.optim.lr_scheduler.combined import SequentialLR as SequentialLR
from dotori.optim.lr_scheduler.cosine import CosineAnnealingLR as CosineAnnealingLR
from dotori.optim.lr_scheduler.cosine import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
)
from dotori.optim.lr_scheduler.cyclic import CyclicLR as CyclicLR
from dotori.optim.lr_scheduler.cyclic import OneCycleLR as OneCycleLR
from dotori.optim.lr_scheduler.decay import ConstantLR as ConstantLR
from dotori.optim.lr_scheduler.decay import ExponentialLR as ExponentialLR
from dotori.optim.lr_scheduler.decay import LinearLR as LinearLR
from dotori.optim.lr_scheduler.decay import MultiStepLR as MultiStepLR
from dotori.optim.lr_scheduler.decay import PolynomialLR as PolynomialLR
from dotori.optim.lr_scheduler.decay import StepLR as StepLR
from dotori.optim.lr_scheduler.lambdas import LambdaLR as LambdaLR
from dotori.optim.lr_scheduler.lambdas import MultiplicativeLR as MultiplicativeLR
from dotori.optim.lr_scheduler.plateau import ReduceLROnPlateau as ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
