"""Tables in fewer columns: principal components and truncated singular values."""

from dotori.learn.decomposition._pca import PCA as PCA
from dotori.learn.decomposition._truncated_svd import TruncatedSVD as TruncatedSVD
