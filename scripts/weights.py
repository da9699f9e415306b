"""Pretrained weights: list the sources, fetch one, verify the cache, convert a file, show its layers.

python scripts/weights.py list
python scripts/weights.py fetch vgg19 [--again]
python scripts/weights.py verify [vgg19]
python scripts/weights.py convert FILE OUT.safetensors [--preprocessing caffe|torchvision]
python scripts/weights.py show vgg19 | random | FILE
"""

from pathlib import Path

from nst import cli
from nst.arguments import Parser
from nst.features.weights import commands
from nst.features.weights.preprocessing import PREPROCESSINGS

parser = Parser(prog="scripts/weights.py", description=__doc__)
parser.add_command("list", commands.list_sources, "list the sources, and which are in the cache")
command = parser.add_command("fetch", commands.fetch, "fetch a source into the cache")
command.add_argument("name")
command.add_argument("--again", action="store_true", help="fetch it even if it is cached")
command = parser.add_command("verify", commands.verify, "check files in the cache by their hash")
command.add_argument("name", nargs="?")
command = parser.add_command("convert", commands.convert, "port a weight file that you have")
command.add_argument("file", type=Path)
command.add_argument("out", type=Path, help="a new file, ending in .safetensors")
command.add_argument("--preprocessing", help=" or ".join(PREPROCESSINGS))
command = parser.add_command("show", commands.show, "print a table per layer")
command.add_argument("weights", help="a source, random, or a path")

if __name__ == "__main__":
    cli.main(parser.run)
