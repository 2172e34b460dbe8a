"""Data: tables, datasets, samplers and the loader that makes batches of them.

The names around tables and pictures are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dotori.data.balanced import GroupSampler as GroupSampler
from dotori.data.balanced import LengthBatchSampler as LengthBatchSampler
from dotori.data.balanced import StratifiedBatchSampler as StratifiedBatchSampler
from dotori.data.balanced import StratifiedSampler as StratifiedSampler
from dotori.data.collate import default_collate as default_collate
from dotori.data.collate import default_convert as default_convert
from dotori.data.dataset import Batch as Batch
from dotori.data.dataset import ChainDataset as ChainDataset
from dotori.data.dataset import ConcatDataset as ConcatDataset
from dotori.data.dataset import Dataset as Dataset
from dotori.data.dataset import IterableDataset as IterableDataset
from dotori.data.dataset import Subset as Subset
from dotori.data.dataset import TensorDataset as TensorDataset
from dotori.data.dataset import random_split as random_split
from dotori.data.loader import DataLoader as DataLoader
from dotori.data.sampler import BatchSampler as BatchSampler
from dotori.data.sampler import IndexSampler as IndexSampler
from dotori.data.sampler import RandomSampler as RandomSampler
from dotori.data.sampler import Sampler as Sampler
from dotori.data.sampler import SequentialSampler as SequentialSampler
from dotori.data.sampler import SubsetRandomSampler as SubsetRandomSampler
from dotori.data.sampler import WeightedRandomSampler as WeightedRandomSampler
from dotori.data.workers import WorkerInfo as WorkerInfo
from dotori.data.workers import get_worker_info as get_worker_info

if TYPE_CHECKING:
    from dotori.data.builtin import builtin_names as builtin_names
    from dotori.data.builtin import load_builtin as load_builtin
    from dotori.data.idx import read_idx as read_idx
    from dotori.data.pictures import MNIST as MNIST
    from dotori.data.pictures import FashionMNIST as FashionMNIST
    from dotori.data.read import iter_table as iter_table
    from dotori.data.read import read_table as read_table
    from dotori.data.scaling import image_to_vector as image_to_vector
    from dotori.data.scaling import minmax as minmax
    from dotori.data.scaling import normalize_rows as normalize_rows
    from dotori.data.scaling import standardize as standardize
    from dotori.data.schema import Schema as Schema
    from dotori.data.schema import infer_schema as infer_schema
    from dotori.data.signals import mnist1d as mnist1d
    from dotori.data.table import Column as Column
    from dotori.data.table import Table as Table
    from dotori.data.text import python_reference as python_reference
    from dotori.data.transfer import download as download
    from dotori.data.write import TableWriter as TableWriter
    from dotori.data.write import write_table as write_table

_HOME = {
    "Column": "table",
    "FashionMNIST": "pictures",
    "MNIST": "pictures",
    "Schema": "schema",
    "Table": "table",
    "TableWriter": "write",
    "builtin_names": "builtin",
    "download": "transfer",
    "image_to_vector": "scaling",
    "infer_schema": "schema",
    "iter_table": "read",
    "load_builtin": "builtin",
    "minmax": "scaling",
    "mnist1d": "signals",
    "normalize_rows": "scaling",
    "python_reference": "text",
    "read_idx": "idx",
    "read_table": "read",
    "standardize": "scaling",
    "write_table": "write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
