"""Decision trees: criteria, growing, pruning, prediction."""

from dotori.algorithms.tree.tree import Tree as Tree
