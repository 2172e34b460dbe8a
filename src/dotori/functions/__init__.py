"""The public functions on tensors, one file a family, under PyTorch's names."""

from dotori.functions import _numpys as _numpys
from dotori.functions.activation import *
from dotori.functions.comparison import *
from dotori.functions.creation import *
from dotori.functions.elementwise import *
from dotori.functions.extremes import *
from dotori.functions.filled import *
from dotori.functions.join import *
from dotori.functions.linear import *
from dotori.functions.reduce import *
from dotori.functions.shape import *
from dotori.functions.transcendental import *
