"""Clustering: the points' groups, found from the points alone."""

from dotori.learn.cluster._kmeans import KMeans as KMeans
from dotori.learn.cluster._minibatch_kmeans import MiniBatchKMeans as MiniBatchKMeans
