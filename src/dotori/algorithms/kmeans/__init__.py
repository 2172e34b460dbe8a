"""k-means: Lloyd's algorithm, its starts, with bounds, and on small batches."""
