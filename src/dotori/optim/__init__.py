"""Optimisers and learning-rate schedules: PyTorch's names and trajectories."""

from dotori.optim import schedule as lr_scheduler
from dotori.optim.adam import Adam as Adam
from dotori.optim.adam import AdamW as AdamW
from dotori.optim.clip import clip_grad_norm_ as clip_grad_norm_
from dotori.optim.clip import clip_grad_value_ as clip_grad_value_
from dotori.optim.groups import param_groups_weight_decay as param_groups_weight_decay
from dotori.optim.optimizer import Optimizer as Optimizer
from dotori.optim.rmsprop import RMSprop as RMSprop
from dotori.optim.schedule import ConstantLR as ConstantLR
from dotori.optim.schedule import CosineAnnealingLR as CosineAnnealingLR
from dotori.optim.schedule import ExponentialLR as ExponentialLR
from dotori.optim.schedule import LambdaLR as LambdaLR
from dotori.optim.schedule import LinearLR as LinearLR
from dotori.optim.schedule import MultiStepLR as MultiStepLR
from dotori.optim.schedule import OneCycleLR as OneCycleLR
from dotori.optim.schedule import ReduceLROnPlateau as ReduceLROnPlateau
from dotori.optim.schedule import StepLR as StepLR
from dotori.optim.sgd import SGD as SGD

__all__ = ["lr_scheduler"]
