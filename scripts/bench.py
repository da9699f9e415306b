"""Measure nst beside other programs, which pip install -e '.[bench]' installs.

python scripts/bench.py step [--sizes PIXELS ...] [--rounds N] [--compile] [--output FILE]
python scripts/bench.py lbfgs [--pairs CONTENT:STYLE ...] [--evaluations N ...] [--size PIXELS]
python scripts/bench.py losses [--losses NAME ...] [--layers NAME ...] [--sizes PIXELS ...] [--size PIXELS] [--steps N]
python scripts/bench.py pastiche [--size PIXELS] [--steps N] [--content PATH] [--style PATH] [--precision NAME]
python scripts/bench.py sweep [--trials N] [--size PIXELS] [--steps N] [--batch N] [--output FILE]
python scripts/bench.py audio [--filters N] [--seconds S] [--evaluations N] [--rounds N] [--output FILE]
python scripts/bench.py wasserstein [--size PIXELS] [--seconds S] [--content PATH] [--style PATH]
python scripts/bench.py quality [--pairs CONTENT:STYLE ...] [--methods METHOD:SECONDS ...] --output DIR
python scripts/bench.py sizes [--config FILE] [--sizes PIXELS ...] [--content PATH] [--style PATH] --output DIR
python scripts/bench.py lines [--tile PIXELS] [--styles NAME ...] [--matting WEIGHT ...] [--output DIR]
python scripts/bench.py regions [--losses NAME ...] [--size PIXELS] [--rounds N] [--content PATH]
"""

from nst import cli  # it sets what JAX reads when it is imported

# isort: split

from benchmarks import (
    audio,
    lbfgs,
    lines,
    losses,
    pastiche,
    quality,
    regions,
    sizes,
    step,
    sweep,
    wasserstein,
)
from nst.arguments import Parser

parser = Parser(prog="scripts/bench.py", description=__doc__)
for module in (step, lbfgs, losses, pastiche, sweep, audio, quality, sizes, wasserstein, lines, regions):
    name, text = module.__name__.rpartition(".")[2], (module.__doc__ or "").partition("\n")[0]
    module.add_options(parser.add_command(name, module.compare, text))

if __name__ == "__main__":
    cli.main(parser.run)
