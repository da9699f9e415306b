"""The command line: flags, errors in one line, exit codes. Every script goes through it.

Exit status 2: the input can't be used; 1: a run failed; 130 and 143: stopped by SIGINT and SIGTERM, with what it had
reached kept. `--debug` shows the traceback of any of them.
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from absl import flags
from ml_collections import ConfigDict, config_flags

from nst import runs
from nst import sweep as sweeps
from nst.config import FIELDS, fields, help_text, modality_of, unknown_field
from nst.config.file import load_file
from nst.errors import InputError, Interrupted, RunError
from nst.files import cache_dir
from nst.process import prepare, release_free_memory


def main(function: Callable[[Sequence[str]], None], *, usage: str) -> NoReturn:
    """Run a script: hand `function` the arguments, turn what goes wrong into a line and an exit status."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if any(argument in ("-h", "--help") for argument in arguments):
        print(usage.strip())
        if function in (run, sweep):
            print(f"\n{help_text(_modality(arguments))}")
        sys.exit(0)
    prepare(cache_dir() / "compiled")
    try:
        function([argument for argument in arguments if argument != "--debug"])
    except (InputError, RunError, OSError, MemoryError, KeyboardInterrupt) as error:
        if debug:
            raise
        print(f"error: {_message(error)}", file=sys.stderr)
        sys.exit(_status(error))
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
        return "memory ran out: make the pictures smaller or the sounds shorter"
    return " ".join(str(error).split())


def run(arguments: Sequence[str]) -> None:
    """`scripts/run.py`: one config, one run (or one for each file of a folder)."""
    values = _flags(arguments)
    flags.DEFINE_bool("resume", False, "Go on with the run in --workdir.", flag_values=values)
    flags.DEFINE_string("output", None, "Also write the result here.", flag_values=values)
    for name, limit in {each.limit.flag: each.limit for each in runs.MODALITIES.values()}.items():
        flags.DEFINE_integer(name, None, limit.help, 1, flag_values=values)
    config = _parse(values, arguments)
    if values.resume and not values.workdir:
        raise InputError("--resume: which run? add its --workdir")
    modality = runs.modality(config)
    folders = runs.run(
        config,
        Path(values.workdir) if values.workdir else _next_free(Path("runs") / _file(values)[0].stem),
        resume=values.resume,
        output=Path(values.output) if values.output else None,
        limit=values[modality.limit.flag].value,
        release=release_free_memory,
    )
    for folder in folders:
        print(folder / modality.result.name)


def sweep(arguments: Sequence[str]) -> None:
    """`scripts/sweep.py`: one config with a `sweep()`, many runs."""
    values = _flags(arguments)
    flags.DEFINE_bool("list", False, "Show the plan and where each trial stands.", flag_values=values)
    flags.DEFINE_bool("extend", False, "Let the plan have new trials.", flag_values=values)
    flags.DEFINE_bool("retry", False, "Run trials once more that failed.", flag_values=values)
    flags.DEFINE_integer("workers", 1, "Processes on this machine.", 1, flag_values=values)
    flags.DEFINE_integer("batch", 1, "Trials in lock-step, at most.", 1, flag_values=values)
    flags.DEFINE_enum("executor", "local", ["local", "ray"], "What computes.", flag_values=values)
    flags.DEFINE_string("address", None, "Of a Ray cluster.", flag_values=values)
    flags.DEFINE_float("cpus", 1.0, "CPUs of a Ray task.", 0.0, flag_values=values)
    flags.DEFINE_float("gpus", 0.0, "GPUs of a Ray task.", 0.0, flag_values=values)
    flags.DEFINE_bool("shared", True, "All nodes have the --workdir.", flag_values=values)
    config = _parse(values, arguments)
    _check_executor(values)
    path, variant = _file(values)
    folder = Path(values.workdir) if values.workdir else Path("runs") / path.stem
    plan = sweeps.begin(config, _overrides(path, variant), folder, extend=values.extend)
    if values.list:
        sweeps.show(folder, plan)
    else:
        on = sweeps.Cluster(values.address, values.cpus, values.gpus, values.shared)
        sweeps.run(
            folder,
            plan,
            workers=values.workers,
            batch=values.batch,
            retry=values.retry,
            on=on if values.executor == "ray" else None,
        )


def _check_executor(values: flags.FlagValues) -> None:
    """Refuse flags of one executor that are given with the other."""
    others = {"local": ("address", "cpus", "gpus", "shared"), "ray": ("workers",)}[values.executor]
    for name in others:
        if values[name].present:
            other = {"local": "ray", "ray": "local"}[values.executor]
            raise InputError(f"--{name} is for --executor={other}: leave it out, or add that")


def _modality(arguments: Sequence[str]) -> str:
    """Return the modality of the config file that is named; of no file, or a damaged one, the default."""
    named = re.search(r"^--?config[=\n](.+)$", "\n".join(arguments), re.MULTILINE)
    path, _, variant = named[1].partition(":") if named else ("", "", "")
    try:
        module = load_file(Path(path))
        return modality_of(module.get_config(variant) if variant else module.get_config())
    except Exception:  # a config file may raise anything; without --help its error is shown
        return modality_of({})


def _overrides(path: Path, variant: str) -> list[Any]:
    """What the `sweep()` of a config file yields."""
    module = load_file(path)
    if not hasattr(module, "sweep"):
        raise InputError(f"{path} has no sweep(): let one yield mappings from field names to values")
    try:
        return list(module.sweep(variant) if variant else module.sweep())
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: sweep() fails: {type(error).__name__}: {error}") from error


def _flags(arguments: Sequence[str]) -> flags.FlagValues:
    """What every script with a config takes."""
    if any(
        argument.lstrip("-").startswith("flagfile") for argument in arguments
    ):  # the config's flag reads it
        raise InputError("--flagfile is not supported: give the flags themselves")
    values = flags.FlagValues()
    config_flags.DEFINE_config_file("config", None, "The config file.", flag_values=values)
    flags.DEFINE_string("workdir", None, "The directory: runs/NAME by default.", flag_values=values)
    return values


def _file(values: flags.FlagValues) -> tuple[Path, str]:
    """The config file and its variant."""
    path, _, variant = values["config"].config_filename.partition(":")  # type: ignore[attr-defined]
    return Path(path), variant


def _next_free(folder: Path) -> Path:
    """`runs/NAME`, then `runs/NAME-2`, …"""
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


def _parse(values: flags.FlagValues, arguments: Sequence[str]) -> ConfigDict:
    try:
        rest = values(["run.py", *_last_of_each(arguments)])
        config = values.config
        if config is not None:
            dict(fields(config))  # a file that could not be loaded fails when it is read
    except Exception as error:
        raise _flag_error(arguments, error) from error
    if len(rest) > 1:
        raise InputError(f"stray argument {rest[1]!r}: flags begin with --, as in --config configs/gatys.py")
    if config is None:
        raise InputError("no config was given: add --config configs/gatys.py")
    return config


def _last_of_each(arguments: Sequence[str]) -> list[str]:
    """Leave out a field that is set again later: ml_collections would add the second tuple to the first."""
    names = [re.match(r"--?config\.[\w.]+(?==)", argument) for argument in arguments]
    later = [{m[0].lstrip("-") for m in names[i + 1 :] if m} for i in range(len(names))]
    return [
        a for a, m, rest in zip(arguments, names, later, strict=True) if not m or m[0].lstrip("-") not in rest
    ]


def _flag_error(arguments: Sequence[str], error: BaseException) -> InputError:
    """Say which flag it was: absl and ml_collections answer with anything from a KeyError to a traceback as text."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    # The innermost is the config file's own: ml_collections raises it again with its traceback as text.
    for cause in reversed(chain):
        if isinstance(cause, InputError):
            return cause
    modality = _modality(arguments)
    for name in re.findall(r"^--?config\.([\w.]+)", "\n".join(arguments), re.MULTILINE):
        if name not in FIELDS[modality]:
            return unknown_field(name, modality)
    text = str(error.args[0] if isinstance(error, KeyError) else error).strip()
    if "Traceback" in text:  # ml_collections quotes one: its last line is the cause
        text = f"the config can't be loaded: {text.splitlines()[-1]}"
    return InputError(" ".join(text.split()).removeprefix("FATAL Flags parsing error: "))
