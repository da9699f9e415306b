"""Pretrained weights: list the sources, fetch one, verify the cache, convert a file, show its layers.

nst weights list
nst weights fetch vgg19 [--again]
nst weights verify [vgg19]
nst weights convert FILE OUT.safetensors [--preprocessing caffe|torchvision]
nst weights show vgg19 | random | FILE
"""

from pathlib import Path

from nst.arguments import Parser
from nst.features.weights import commands
from nst.features.weights.preprocessing import PREPROCESSINGS

parser = Parser(prog="nst weights", description=__doc__)
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
