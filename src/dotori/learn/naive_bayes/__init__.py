"""Classifiers by Bayes' rule, with features taken as independent."""

from dotori.learn.naive_bayes.gaussian import GaussianNB as GaussianNB
from dotori.learn.naive_bayes.multinomial import MultinomialNB as MultinomialNB
