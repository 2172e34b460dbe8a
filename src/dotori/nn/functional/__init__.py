"""What the modules of `dotori.nn` compute, as functions, under PyTorch's names."""

from dotori.functions.distance import pdist as pdist
from dotori.nn.functional.activation import *
from dotori.nn.functional.classification import *
from dotori.nn.functional.ctc import *
from dotori.nn.functional.distance import *
from dotori.nn.functional.dropout import *
from dotori.nn.functional.linear import *
from dotori.nn.functional.loss import *
from dotori.nn.functional.margin import *
from dotori.nn.functional.padding import *
from dotori.nn.functional.penalty import *
