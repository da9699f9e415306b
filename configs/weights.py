"""Ablation of the weights: pretrained and random ones, as they are and normalized.

    python scripts/sweep.py --config configs/weights.py
    python scripts/sweep.py --config configs/weights.py:quick

120 trials, two hours and a half on two CPU cores; `quick` has 16 and ends in four minutes. Normalized means a mean
activation of 1 in each feature map, which rescales random weights layer by layer. He, Wang and Hopcroft (NeurIPS 2016)
transfer style with a VGG of random weights chosen layer by layer; Ustyuzhaninov et al. (ICLR 2017) synthesize textures
with random shallow networks. Losses of different networks can't be compared: compare the metrics, which use the trained
network.

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.features import NETWORKS
from nst.overrides import Overrides


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or `quick`; no weight of total variation suits all networks, so it is 0."""
    config = ablation(variant, "configs/weights.py")
    config.loss.tv_weight = 0.0
    config.loss.reduction = "sum"  # the weights of the loss were chosen for sums
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Yield both kinds of weights, as they are and normalized; random weights have three seeds (`quick`: one)."""
    # Normalized layers count the same, as in the paper; its α/β of 1e-3 would hardly change the photograph.
    equal = {"features.normalise": True, "loss.style_layer_weights": (), "loss.style_weight": 1e6}
    vgg19 = NETWORKS["vgg19"]
    inverse_square = vgg19.layer_weights(vgg19.style_layers)
    as_it_is = {
        "features.normalise": False,
        "loss.style_layer_weights": inverse_square,
        "loss.style_weight": 6000.0,
    }
    networks = {"trained": {"features.weights": "vgg19", "images.seed": 0}}
    for seed in range(1 if variant == "quick" else 3):
        networks[f"random-{seed}"] = {"features.weights": "random", "images.seed": seed}
    for name, network in networks.items():
        yield name, network | as_it_is
        yield f"{name},rescaled", network | equal
