"""The public functions on tensors, one file a family, under PyTorch's names."""

from dotori.functions.creation import *
from dotori.functions.elementwise import *
