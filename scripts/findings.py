r"""Write docs/findings.md from evaluated sweeps of the ablations, each in DIR/NAME; any may be missing.

for name in pooling layers initial weights network losses optimizers padding audio_ablation; do
  python scripts/sweep.py --config configs/$name.py:quick --workdir runs/findings/$name
done
python scripts/sweep.py --config configs/ratio.py:quick --workdir runs/findings/ratio \
  --config.images.content='tfds:nst_photos/train[1:3]' --config.images.style='tfds:nst_paintings/train[1:]'
python scripts/evaluate.py runs/findings/*
python scripts/findings.py runs/findings
"""

from pathlib import Path

from nst import cli
from nst.arguments import Parser
from tools import findings


def write(folder: Path) -> None:
    page = Path("docs/findings.md")
    missing = findings.write(folder, page)
    print(page)
    if missing:
        print(f"not measured, because there is no sweep: {', '.join(missing)}")


parser = Parser(write, prog="scripts/findings.py", description=__doc__)
parser.add_argument("folder", metavar="DIR", type=Path, help="the folder with the sweeps")

if __name__ == "__main__":
    cli.main(parser.run)
