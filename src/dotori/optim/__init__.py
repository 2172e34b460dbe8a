"""Optimisers and learning-rate schedules: PyTorch's names and trajectories.

PyTorch's SparseAdam is not here: it wants sparse gradients, which dotori does not have.
"""

from dotori.nn.utils import clip_grad_norm_ as clip_grad_norm_
from dotori.nn.utils import clip_grad_value_ as clip_grad_value_
from dotori.optim import lr_scheduler as lr_scheduler
from dotori.optim import swa_utils as swa_utils
from dotori.optim.adagrad import Adadelta as Adadelta
from dotori.optim.adagrad import Adagrad as Adagrad
from dotori.optim.adam import Adam as Adam
from dotori.optim.adam import AdamW as AdamW
from dotori.optim.adam_variants import Adamax as Adamax
from dotori.optim.adam_variants import NAdam as NAdam
from dotori.optim.adam_variants import RAdam as RAdam
from dotori.optim.asgd import ASGD as ASGD
from dotori.optim.groups import param_groups_weight_decay as param_groups_weight_decay
from dotori.optim.lbfgs import LBFGS as LBFGS
from dotori.optim.lr_scheduler import ConstantLR as ConstantLR
from dotori.optim.lr_scheduler import CosineAnnealingLR as CosineAnnealingLR
from dotori.optim.lr_scheduler import ExponentialLR as ExponentialLR
from dotori.optim.lr_scheduler import LambdaLR as LambdaLR
from dotori.optim.lr_scheduler import LinearLR as LinearLR
from dotori.optim.lr_scheduler import MultiStepLR as MultiStepLR
from dotori.optim.lr_scheduler import OneCycleLR as OneCycleLR
from dotori.optim.lr_scheduler import ReduceLROnPlateau as ReduceLROnPlateau
from dotori.optim.lr_scheduler import StepLR as StepLR
from dotori.optim.matrices import Adafactor as Adafactor
from dotori.optim.matrices import Muon as Muon
from dotori.optim.optimizer import Optimizer as Optimizer
from dotori.optim.rmsprop import RMSprop as RMSprop
from dotori.optim.sgd import SGD as SGD
from dotori.optim.signs import Lion as Lion
from dotori.optim.signs import Rprop as Rprop

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]
