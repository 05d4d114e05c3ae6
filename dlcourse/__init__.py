"""Helpers that the notebooks of the deep-learning course import: data, loops, plots, checks."""

__version__ = "0.1.0"
