"""From a table to a trained model and back."""

from dotori.tabular.job import Job as Job
from dotori.tabular.job import fit as fit
from dotori.tabular.model import TableModel as TableModel
from dotori.tabular.options import Options as Options
