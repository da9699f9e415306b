"""Imports go down only: each module may import modules on lower floors."""

import ast
from pathlib import Path

import pytest

import nst

ROOT = Path(nst.__file__).parent

#: The modules of `nst` by floor, from the lowest; a folder is one module.
FLOORS = [
    {"errors", "types", "process", "holder"},
    {"files"},
    {"config", "overrides"},
    {"arguments", "flags", "inputs"},
    {"ablation"},
    {"images", "audio", "losses", "optim", "laplacian", "checkpoint"},
    {"video"},
    {"features", "optimize", "record", "data", "writers", "masks", "flow"},
    {"objective", "segment"},
    {"guided", "strength"},
    {"descent"},
    {"stages", "metrics"},
    {"transfer"},
    {"batched"},
    {"runs"},
    {"sweep", "evaluation"},
    {"report"},
    {"live"},
    {"cli"},
    {"commands"},
    {"command"},
    {"__main__"},
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}


def modules():
    # In an installed wheel, nst/configs has the configs.
    return sorted(
        path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py" and "configs" not in path.parts
    )


def owner(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "nst":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nst."):
            yield node.module.split(".")[1]


def test_the_wheel_imports_nothing_outside_it():
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"benchmarks", "scripts", "tools"}, path


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    for name in set(imported(path)) - {owner(path)}:
        assert FLOOR[name] < FLOOR[owner(path)], f"{owner(path)} imports {name}"
