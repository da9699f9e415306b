"""The command line of all scripts: flags, errors in one line, exit statuses.

Exit status 2: an input can't be used; 1: a run failed; 130 and 143: a run was stopped by SIGINT or SIGTERM, its state
is kept. `--debug` shows the traceback of an error.
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

# Imported before JAX, because it sets environment variables that JAX reads when it is imported.
from nst.process import prepare, release_free_memory, wait_for_devices

# isort: split

from absl import flags
from ml_collections import ConfigDict, config_flags

from nst import runs
from nst import sweep as sweeps
from nst.config import FIELDS, fields, help_text, modality_of, unknown_field
from nst.config.file import load_file
from nst.errors import InputError, Interrupted, RunError
from nst.files import cache_dir, user_path


def main(function: Callable[[Sequence[str]], None], *, usage: str | None = None) -> NoReturn:
    """Run a script: pass the arguments to `function`, print an error as one line, exit with a status.

    `--help` prints `usage`. If `usage` is None, `function` handles `--help` itself.
    """
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if not {"-h", "--help"} & {*arguments}:
        prepare(cache_dir() / "compiled")
    elif usage is not None:
        print(usage.strip())
        if function in (run, sweep):
            print(f"\n{help_text(_modality(arguments))}")
        sys.exit(0)
    try:
        function([argument for argument in arguments if argument != "--debug"])
    except (InputError, RunError, OSError, MemoryError, KeyboardInterrupt) as error:
        if debug:
            raise
        print(f"error: {_message(error)}", file=sys.stderr)
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
    """Run `scripts/run.py`: one run of a config, or one for each file of a folder."""
    values = _flags(arguments)
    flags.DEFINE_bool("resume", False, "Continue the run in --workdir.", flag_values=values)
    flags.DEFINE_string("output", None, "Also write the result here.", flag_values=values)
    for name, limit in {each.limit.flag: each.limit for each in runs.MODALITIES.values()}.items():
        flags.DEFINE_integer(name, None, limit.help, 1, flag_values=values)
    config = _parse(values, arguments)
    if values.resume and not values.workdir:
        raise InputError("--resume needs a run: add its --workdir")
    modality = runs.modality(config)
    folders = runs.run(
        config,
        user_path(values.workdir) if values.workdir else _next_free(Path("runs") / _file(values)[0].stem),
        resume=values.resume,
        output=user_path(values.output) if values.output else None,
        limit=values[modality.limit.flag].value,
        release=release_free_memory,
    )
    for folder in folders:
        print(folder / modality.result.name)


def sweep(arguments: Sequence[str]) -> None:
    """Run `scripts/sweep.py`: many runs of a config with a `sweep()`."""
    values = _flags(arguments)
    flags.DEFINE_bool("list", False, "Show the plan and the state of each trial.", flag_values=values)
    flags.DEFINE_bool("extend", False, "Add new trials to the plan.", flag_values=values)
    flags.DEFINE_bool("retry", False, "Run failed trials again.", flag_values=values)
    flags.DEFINE_integer("workers", 1, "Processes on this machine.", 1, flag_values=values)
    flags.DEFINE_integer("batch", 1, "The most trials in one batch.", 1, flag_values=values)
    flags.DEFINE_enum("executor", "local", ["local", "ray"], "Where trials run.", flag_values=values)
    flags.DEFINE_string("address", None, "The address of a Ray cluster.", flag_values=values)
    flags.DEFINE_float("cpus", 1.0, "CPUs of a Ray task.", 0.0, flag_values=values)
    flags.DEFINE_float("gpus", 0.0, "GPUs of a Ray task.", 0.0, flag_values=values)
    flags.DEFINE_bool("shared", True, "All nodes share the --workdir.", flag_values=values)
    config = _parse(values, arguments)
    _check_executor(values)
    path, variant = _file(values)
    folder = user_path(values.workdir) if values.workdir else Path("runs") / path.stem
    plan = sweeps.begin(config, _overrides(path, variant), folder, extend=values.extend)
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
            raise InputError(f"--{name} is for --executor={other}: leave it out, or add that")


def _modality(arguments: Sequence[str]) -> str:
    """Return the modality of the config file in the arguments; the default if there is none or it can't be loaded."""
    named = re.search(r"^--?config[=\n](.+)$", "\n".join(arguments), re.MULTILINE)
    path, _, variant = named[1].partition(":") if named else ("", "", "")
    try:
        module = load_file(Path(path))
        return modality_of(module.get_config(variant) if variant else module.get_config())
    except Exception:  # a config file may raise anything; a run, unlike --help, reports its error
        return modality_of({})


def _overrides(path: Path, variant: str) -> list[Any]:
    """Return the overrides that the `sweep()` of a config file yields."""
    module = load_file(path)
    if not hasattr(module, "sweep"):
        raise InputError(f"{path} has no sweep(): add one that yields mappings from field names to values")
    try:
        return list(module.sweep(variant) if variant else module.sweep())
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: sweep() fails: {type(error).__name__}: {error}") from error


def _flags(arguments: Sequence[str]) -> flags.FlagValues:
    """Define the flags of every script with a config. They are absl's, because ml_collections' `--config` is."""
    if any(
        argument.lstrip("-").startswith("flagfile") for argument in arguments
    ):  # ml_collections would read it
        raise InputError("--flagfile is not supported: give the flags themselves")
    values = flags.FlagValues()
    config_flags.DEFINE_config_file("config", None, "The config file.", flag_values=values)
    flags.DEFINE_string("workdir", None, "The directory: runs/NAME by default.", flag_values=values)
    return values


def _file(values: flags.FlagValues) -> tuple[Path, str]:
    """Return the config file and its variant."""
    path, _, variant = values["config"].config_filename.partition(":")  # type: ignore[attr-defined]
    return Path(path), variant


def _next_free(folder: Path) -> Path:
    """Return the first folder of `runs/NAME`, `runs/NAME-2`, … that does not exist."""
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
            dict(fields(config))  # reading it raises the error of a file that could not be loaded
    except Exception as error:
        raise _flag_error(arguments, error) from error
    if len(rest) > 1:
        raise InputError(f"stray argument {rest[1]!r}: flags begin with --, as in --config configs/gatys.py")
    if config is None:
        raise InputError("no config was given: add --config configs/gatys.py")
    return config


def _last_of_each(arguments: Sequence[str]) -> list[str]:
    """Remove flags of fields that are set again later: ml_collections would append the second tuple to the first."""
    names = [re.match(r"--?config\.[\w.]+(?==)", argument) for argument in arguments]
    later = [{m[0].lstrip("-") for m in names[i + 1 :] if m} for i in range(len(names))]
    return [
        a for a, m, rest in zip(arguments, names, later, strict=True) if not m or m[0].lstrip("-") not in rest
    ]


def _flag_error(arguments: Sequence[str], error: BaseException) -> InputError:
    """Return an error of one line that names the flag: absl and ml_collections may raise any exception."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    # The innermost error is that of the config file: ml_collections raises another, with the traceback in its message.
    for cause in reversed(chain):
        if isinstance(cause, InputError):
            return cause
    modality = _modality(arguments)
    for name in re.findall(r"^--?config\.([\w.]+)", "\n".join(arguments), re.MULTILINE):
        if name not in FIELDS[modality]:
            return unknown_field(name, modality)
    text = str(error.args[0] if isinstance(error, KeyError) else error).strip()
    if "Traceback" in text:  # quoted by ml_collections: its last line is the cause
        text = f"the config can't be loaded: {text.splitlines()[-1]}"
    return InputError(" ".join(text.split()).removeprefix("FATAL Flags parsing error: "))
