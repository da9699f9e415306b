"""Measure results in style and in content, beside the content and the style taken as results.

python scripts/evaluate.py DIR ... [--again]
    DIR is a run directory, a sweep's, or a folder of runs; each finished run in it gets an evaluation.json
python scripts/evaluate.py --content PATH --style PATH RESULT ... [--size PIXELS] [--json FILE]
    any pictures, whatever made them, at the content's size, or with its longest side brought to PIXELS; or any sounds,
    at the content's length

What the figures mean, and what they are made of: docs/metrics.md.
"""

from nst import cli, evaluation

if __name__ == "__main__":
    cli.main(evaluation.main, usage=__doc__ or "")
