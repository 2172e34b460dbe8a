"""Nearest neighbours: distances, search by blocks, and a k-d tree."""
