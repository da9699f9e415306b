"""Pretrained weights of VGG networks: fetched once, ported to one format, verified by their hash at every start."""

from nst.features.weights.loading import RANDOM, are_drawn, digest, is_cached, load
from nst.features.weights.network import BLOCKS, KERNELS, Blocks, Weights
from nst.features.weights.preprocessing import CAFFE, PREPROCESSINGS, TORCHVISION, Preprocessing
from nst.features.weights.sources import DEFAULT, DEFAULTS, SOURCES, Source

__all__ = [
    "BLOCKS",
    "CAFFE",
    "DEFAULT",
    "DEFAULTS",
    "KERNELS",
    "PREPROCESSINGS",
    "RANDOM",
    "SOURCES",
    "TORCHVISION",
    "Blocks",
    "Preprocessing",
    "Source",
    "Weights",
    "are_drawn",
    "digest",
    "is_cached",
    "load",
]
