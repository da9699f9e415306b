"""The command line of all scripts: flags, errors in one line, exit statuses.

Exit status 2: an input can't be used; 1: a run failed; 130 and 143: a run was stopped by SIGINT or SIGTERM, its state
is kept. `--debug` shows the traceback of an error.
"""

import itertools
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

# Imported before JAX, because it sets environment variables that JAX reads when it is imported.
from nst.process import prepare, release_free_memory, wait_for_devices

# isort: split

from absl import flags
from ml_collections import ConfigDict

from nst import runs
from nst import sweep as sweeps
from nst.arguments import as_called
from nst.config import base, help_text, modality_of
from nst.config.file import get_config, load_file
from nst.errors import InputError, Interrupted, RunError
from nst.files import cache_dir, user_path
from nst.flags import parse, split
from nst.runs import memory
from nst.runs.repeat import config_of


def main(function: Callable[[Sequence[str]], None], *, usage: str | None = None) -> NoReturn:
    """Run a script: pass the arguments to `function`, print an error as one line, exit with a status.

    `--help` prints `usage`. If `usage` is None, `function` handles `--help` itself.
    """
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if not {"-h", "--help"} & {*arguments}:
        prepare(cache_dir() / "compiled")
    elif usage is not None:
        print(as_called(usage.strip()))
        if function in (run, sweep):
            print(f"\n{help_text(_modality(arguments))}")
        sys.exit(0)
    try:
        function([argument for argument in arguments if argument != "--debug"])
    except (InputError, RunError, OSError, MemoryError, KeyboardInterrupt) as error:
        if debug:
            raise
        print(f"error: {as_called(_message(error))}", file=sys.stderr)
        sys.exit(_status(error))
    finally:
        wait_for_devices()
    sys.exit(0)


def _status(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, Interrupted):
        return 128 + error.number
    return 2 if isinstance(error, InputError) else 1


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    if isinstance(error, MemoryError):
        return "memory ran out: make the images smaller or the audio shorter"
    return " ".join(str(error).split())


def run(arguments: Sequence[str]) -> None:
    """Run `nst run`: one run of a config, or one for each file of a folder."""
    values = _flags()
    flags.DEFINE_bool("resume", False, "Continue the run in --workdir.", flag_values=values)
    flags.DEFINE_string("output", None, "Also write the result here.", flag_values=values)
    flags.DEFINE_bool("plan", False, "Say what a run would take, without running.", flag_values=values)
    flags.DEFINE_bool("force", False, "Start even if memory is far too small.", flag_values=values)
    for name, limit in {each.limit.flag: each.limit for each in runs.MODALITIES.values()}.items():
        flags.DEFINE_integer(name, None, limit.help, 1, flag_values=values)
    path, variant, arguments = split(arguments)
    if path is None:
        path = _resumed(arguments)
    config = _parsed(values, path, variant, arguments, "configs/gatys.py")
    if values.resume and not values.workdir:
        raise InputError("--resume needs a run: add its --workdir")
    modality = runs.modality(config)
    if values.plan:
        estimate = runs.estimated(config, limit=values[modality.limit.flag].value, force=values.force)
        print(_described(estimate, of_images=modality.name in ("image", "video")))
        return
    folders = runs.run(
        config,
        user_path(values.workdir) if values.workdir else _next_free(Path("runs") / _name(path)),
        resume=values.resume,
        output=user_path(values.output) if values.output else None,
        limit=values[modality.limit.flag].value,
        force=values.force,
        release=release_free_memory,
    )
    for folder in folders:
        print(values.output or folder / modality.result.name)


def _described(estimate: runs.Estimate, *, of_images: bool) -> str:
    """Return an estimate in lines."""
    lines = []
    alike = itertools.groupby(estimate.stages, lambda stage: stage.shape)  # the frames of a video
    for number, (shape, group) in enumerate(alike, 1):
        stages = list(group)
        name = f"{shape[1]}×{shape[0]} pixels" if of_images else f"stage {number}"
        steps = sum(stage.steps for stage in stages)
        seconds = sum(stage.steps * stage.seconds for stage in stages)
        frames = f" ({len(stages)} frames)" if len(stages) > 1 else ""
        lines.append(f"{name}: {steps} steps of {seconds / max(1, steps):.2g} s = {seconds:.0f} s{frames}")
    free = memory.free()
    lines.append(
        f"memory: {memory.gib(estimate.memory)}"
        + ("" if free is None else f", {memory.gib(free)} are free now")
    )
    steps = sum(stage.steps for stage in estimate.stages)
    lines.append(
        f"in all: {steps} steps, about {estimate.seconds:.0f} s, {estimate.startup:.0f} s of them to begin"
    )
    return "\n".join(lines)


def sweep(arguments: Sequence[str]) -> None:
    """Run `nst sweep`: many runs of a config with a `sweep()`."""
    values = _flags()
    flags.DEFINE_bool("list", False, "Show the plan and the state of each trial.", flag_values=values)
    flags.DEFINE_bool("extend", False, "Add new trials to the plan.", flag_values=values)
    flags.DEFINE_bool("drop", False, "Leave trials that are gone out of the plan.", flag_values=values)
    flags.DEFINE_bool("retry", False, "Run failed trials again.", flag_values=values)
    flags.DEFINE_integer("workers", 1, "Processes on this machine.", 1, flag_values=values)
    flags.DEFINE_integer("batch", 1, "The most trials in one batch.", 1, flag_values=values)
    flags.DEFINE_enum("executor", "local", ["local", "ray"], "Where trials run.", flag_values=values)
    flags.DEFINE_string("address", None, "The address of a Ray cluster.", flag_values=values)
    flags.DEFINE_float("cpus", 1.0, "CPUs of a Ray task.", 0.0, flag_values=values)
    flags.DEFINE_float("gpus", 0.0, "GPUs of a Ray task.", 0.0, flag_values=values)
    flags.DEFINE_bool("shared", True, "All nodes share the --workdir.", flag_values=values)
    path, variant, arguments = split(arguments)
    config = _parsed(values, path, variant, arguments, "configs/ratio.py")
    _check_executor(values)
    folder = user_path(values.workdir) if values.workdir else Path("runs") / _name(path)
    plan = sweeps.begin(
        config,
        _overrides(path, variant),
        folder,
        extend=values.extend,
        drop=values.drop,
        write=not values.list,
    )
    if values.list:
        sweeps.show(folder, plan)
    else:
        cluster = sweeps.Cluster(values.address, values.cpus, values.gpus, values.shared)
        sweeps.run(
            folder,
            plan,
            workers=values.workers,
            batch=values.batch,
            retry=values.retry,
            on=cluster if values.executor == "ray" else None,
        )


def _check_executor(values: flags.FlagValues) -> None:
    """Raise InputError for a flag that the chosen executor does not use."""
    others = {"local": ("address", "cpus", "gpus", "shared"), "ray": ("workers",)}[values.executor]
    for name in others:
        if values[name].present:
            other = {"local": "ray", "ray": "local"}[values.executor]
            raise InputError(f"--{name} is for --executor={other}: leave it out, or add --executor={other}")


def _modality(arguments: Sequence[str]) -> str:
    """Return the modality of the config in the arguments; the default if there is none or it can't be loaded."""
    try:
        path, variant, _ = split(arguments)
        return modality_of({} if path is None else _config(path, variant))
    except Exception:  # a config file may raise anything; a run, unlike --help, reports its error
        return modality_of({})


def _overrides(path: Path | None, variant: str) -> list[Any]:
    """Return the overrides that the `sweep()` of a config file yields."""
    module = load_file(path) if path is not None and path.suffix != ".json" else None
    function: Any = getattr(module, "sweep", None)
    if function is None:
        raise InputError(f"{path} has no sweep(): add one that yields mappings from field names to values")
    try:
        return [*(function(variant) if variant else function())]
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: sweep() fails: {type(error).__name__}: {error}") from error


def _flags() -> flags.FlagValues:
    """Define the flags of every script with a config; they are of absl, as the flags of its fields are."""
    values = flags.FlagValues()
    flags.DEFINE_string("workdir", None, "The directory: runs/NAME by default.", flag_values=values)
    return values


def _resumed(arguments: Sequence[str]) -> Path | None:
    """Return the file with the config of the run that `--resume --workdir DIR` continues; None if there is none."""
    joined = "\n".join(arguments)
    workdirs = re.findall(r"^--?workdir[=\n](.+)$", joined, re.MULTILINE)
    if not workdirs or not re.search(r"^--?resume$", joined, re.MULTILINE):
        return None
    path = user_path(workdirs[-1]) / "config.json"
    if not path.exists():
        raise InputError(
            f"{path.parent}: there is no run to resume: leave --resume out, or give its --workdir"
        )
    return path


def _parsed(
    values: flags.FlagValues, path: Path | None, variant: str, arguments: Sequence[str], example: str
) -> ConfigDict:
    """Set flags by arguments, and return the config with the fields that they set."""
    config = parse(values, base() if path is None else _config(path, variant), arguments)
    if path is None:  # but an unknown flag comes first
        raise InputError(f"no config was given: add --config {example}")
    return config


def _config(path: Path, variant: str) -> ConfigDict:
    """Return the config of a config file or of the config.json of a run."""
    if path.suffix == ".json" and not variant:
        return config_of(path)
    return get_config(path, variant)


def _name(path: Path | None) -> str:
    """Return the name of a run or sweep in `runs/`: that of its config file, or of the run that it repeats."""
    assert path is not None  # `_parsed` has raised
    return path.absolute().parent.name if path.suffix == ".json" else path.stem


def _next_free(folder: Path) -> Path:
    """Return the first folder of `runs/NAME`, `runs/NAME-2`, … that does not exist."""
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate
