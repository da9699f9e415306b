"""Measure nst beside its peers; torch comes with pip install -e '.[bench]'.

python scripts/bench.py step [--sizes PIXELS ...] [--rounds N] [--output FILE]
python scripts/bench.py lbfgs [--pairs CONTENT:STYLE ...] [--evaluations N ...] [--size PIXELS]
"""

from nst import bench, cli

if __name__ == "__main__":
    cli.main(bench.run, usage=__doc__ or "")
