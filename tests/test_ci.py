import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_paths_that_ci_numeric_gives_to_pytest_exist():
    listed = re.search(
        r"^tests=\(\n(.*?)^\)", (ROOT / ".ci" / "numeric").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    expanded = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {' '.join(listed[1].split())}"],
        capture_output=True,
        text=True,
        check=True,
    )
    paths = expanded.stdout.split()
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []
