"""Pretrained weights: list the sources, fetch one, verify the cache, convert a file, show its layers.

python scripts/weights.py list
python scripts/weights.py fetch vgg19 [--again]
python scripts/weights.py verify [vgg19]
python scripts/weights.py convert FILE OUT.safetensors [--preprocessing caffe|torchvision]
python scripts/weights.py show vgg19 | random | FILE
"""

from nst import cli
from nst.features.weights import commands

if __name__ == "__main__":
    cli.main(commands.run, usage=__doc__ or "")
