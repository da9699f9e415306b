"""Measure the style and the content of results, beside the content and the style taken as results.

python scripts/evaluate.py DIR ... [--again]
    DIR is the directory of a run or a sweep, or a folder of runs; each finished run gets an evaluation.json
python scripts/evaluate.py --content PATH --style PATH RESULT ... [--size PIXELS] [--json FILE]
    results of any program: images at the content's size, or at a longest side of PIXELS; audio at the content's length

The metrics are explained in docs/metrics.md.
"""

from nst import cli, evaluation

if __name__ == "__main__":
    cli.main(evaluation.main, usage=__doc__ or "")
