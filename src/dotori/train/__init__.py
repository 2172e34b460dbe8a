"""Training: the loop, its callbacks, metrics, checkpoints."""

from dotori.train.callback import Callback as Callback
from dotori.train.callback import Record as Record
from dotori.train.callbacks import Checkpoint as Checkpoint
from dotori.train.callbacks import EarlyStopping as EarlyStopping
from dotori.train.callbacks import JSONLines as JSONLines
from dotori.train.history import History as History
from dotori.train.progress import Progress as Progress
from dotori.train.trainer import Trainer as Trainer
