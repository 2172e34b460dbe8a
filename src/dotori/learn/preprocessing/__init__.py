"""Scaling, encoding: estimators that make columns fit for a model."""

from dotori.learn.preprocessing.minmax import MaxAbsScaler as MaxAbsScaler
from dotori.learn.preprocessing.minmax import MinMaxScaler as MinMaxScaler
from dotori.learn.preprocessing.normalizer import Normalizer as Normalizer
from dotori.learn.preprocessing.one_hot import OneHotEncoder as OneHotEncoder
from dotori.learn.preprocessing.ordinal import OrdinalEncoder as OrdinalEncoder
from dotori.learn.preprocessing.robust import RobustScaler as RobustScaler
from dotori.learn.preprocessing.standard import StandardScaler as StandardScaler
