"""Distributions for the tests of the PDFs: densities on a line, whose
integrals are sums, and random tables."""

import math

import numpy as np

LINE = np.linspace(-15, 15, 60001)


def gauss(x, mean, deviation):
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))


def integral(values, x=LINE):
    return float(np.trapezoid(values, x))


def kl_grid(p, q):
    """KL(p || q) of two densities on LINE."""
    p, q = np.maximum(p, 1e-300), np.maximum(q, 1e-300)
    return integral(p * (np.log(p) - np.log(q)))


def table(rng, *shape):
    """A random joint distribution."""
    p = rng.uniform(0.1, 1, shape)
    return p / p.sum()


def rows(rng, *shape):
    """Random conditional distributions: each sums to 1 over the last axis."""
    p = rng.uniform(0.1, 1, shape)
    return p / p.sum(-1, keepdims=True)


def entropy(p):
    p = np.asarray(p)
    return float(-(p * np.log(p)).sum())


def kl(p, q):
    p, q = np.asarray(p), np.asarray(q)
    return float((p * np.log(p / q)).sum())


def covariance(rng, size):
    """A random covariance matrix."""
    root = rng.normal(size=(size, size + 2))
    return root @ root.T
