"""Data: datasets, samplers and the loader that makes batches of them."""

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
