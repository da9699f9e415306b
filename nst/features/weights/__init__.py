"""Pretrained weights: fetched once, ported to a file of ours, and checked by their hash at every start."""

from nst.features.weights.loading import RANDOM, digest, load
from nst.features.weights.network import KERNELS, Weights
from nst.features.weights.preprocessing import CAFFE, PREPROCESSINGS, TORCHVISION, Preprocessing
from nst.features.weights.sources import DEFAULT, SOURCES, Source

__all__ = [
    "CAFFE",
    "DEFAULT",
    "KERNELS",
    "PREPROCESSINGS",
    "RANDOM",
    "SOURCES",
    "TORCHVISION",
    "Preprocessing",
    "Source",
    "Weights",
    "digest",
    "load",
]
