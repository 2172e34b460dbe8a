"""Filling gaps in tables."""

from dotori.learn.impute.indicator import MissingIndicator as MissingIndicator
from dotori.learn.impute.simple import SimpleImputer as SimpleImputer
