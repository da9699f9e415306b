"""The command line of scripts with a config: the config file, and a flag for each of its fields."""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import ConfigDict, config_flags

from nst.config import FIELDS, modality_of, unknown_field
from nst.config.file import locate
from nst.errors import InputError


def split(arguments: Sequence[str]) -> tuple[Path | None, str, list[str]]:
    """Take the last `--config FILE[:VARIANT]` out of arguments; return the file, the variant, and the others."""
    name, others, rest = None, [], iter(arguments)
    for argument in rest:
        if re.fullmatch(r"--?config", argument):
            name = next(rest, "")
        elif match := re.fullmatch(r"--?config=(.*)", argument, re.DOTALL):
            name = match[1]
        else:
            others.append(argument)
        if argument == "--":
            others.extend(rest)
    if name is None:
        return None, "", others
    path, _, variant = name.partition(":")
    if not path:
        raise InputError("--config names no file: give a config such as configs/gatys.py")
    return locate(path), variant, others


def parse(values: flags.FlagValues, config: ConfigDict, arguments: Sequence[str]) -> ConfigDict:
    """Set flags and the fields of a config by arguments, and return the config.

    Args:
      values: The flags that a script defines.
      config: The config.
      arguments: The arguments without `--config FILE`.

    Raises:
      InputError: A flag is unknown, or a value is not of its type.
    """
    if any(argument.lstrip("-").startswith("flagfile") for argument in arguments):  # absl would read it
        raise InputError("--flagfile is not supported: give the flags themselves")
    modality = modality_of(config)
    arguments = [*_tuples(_last_of_each(arguments), config, modality)]
    try:
        config_flags.DEFINE_config_dict(  # type: ignore[attr-defined]
            "config", config, flag_values=values, sys_argv=["", *arguments]
        )
        rest = values(["", *arguments])
    except flags.UnrecognizedFlagError as error:
        raise _unknown_flag(error.flagname, values, modality) from error
    except Exception as error:
        raise _flag_error(arguments, modality, error) from error
    if len(rest) > 1:
        raise InputError(f"stray argument {rest[1]!r}: flags begin with --, as in --config configs/gatys.py")
    return values.config


def _last_of_each(arguments: Sequence[str]) -> list[str]:
    """Remove flags of fields that are set again later: ml_collections would append the second tuple to the first."""
    names = [re.match(r"--?config\.[\w.]+(?==)", argument) for argument in arguments]
    later = [{m[0].lstrip("-") for m in names[i + 1 :] if m} for i in range(len(names))]
    return [
        a for a, m, rest in zip(arguments, names, later, strict=True) if not m or m[0].lstrip("-") not in rest
    ]


def _tuples(arguments: Sequence[str], config: ConfigDict, modality: str) -> Iterator[str]:
    """Yield arguments with `a,b` as ('a', 'b') and nothing as () where a field is a tuple; `None` unsets the field."""
    rest = iter(arguments)
    for argument in rest:
        match = re.fullmatch(r"--?config\.([\w.]+)(?:=(.*))?", argument, re.DOTALL)
        field = FIELDS[modality].get(match[1]) if match else None
        if match is None or field is None or tuple not in (field.type, field.also):
            yield argument
            continue
        name, text = match[1], next(rest, None) if match[2] is None else match[2]
        if text is None:
            yield argument  # whose value is missing
        elif field.type is not tuple:  # ml_collections would take `None` or `1` for a literal, not for a name
            config.update_from_flattened_dict({name: text})
        elif text == "None" and field.follows:  # ml_collections would take it for an element
            config.update_from_flattened_dict({name: None})
        elif text.strip()[:1] in ("(", "["):
            yield f"--config.{name}={text}"
        else:
            parts = tuple(_parsed(part.strip()) for part in text.split(",") if part.strip())
            yield f"--config.{name}={parts!r}"


def _parsed(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


#: Names of flags in other programs, and the last part of the field that they set.
_HABITS = {
    "image_size": "size",
    "imsize": "size",
    "img_size": "size",
    "width": "size",
    "iterations": "steps",
    "iters": "steps",
    "epochs": "steps",
    "lr": "learning_rate",
    "alpha": "content_weight",
    "beta": "style_weight",
    "model": "network",
    "layers": "style_layers",
    "random_seed": "seed",
    "print": "log_every",
    "save": "save_every",
}


def _unknown_flag(name: str, values: flags.FlagValues, modality: str) -> InputError:
    """Return the error for an unknown flag, with the flag that people who know other programs look for."""
    plain = name.replace("-", "_").lower()
    plain = re.sub(r"^(num|n|max|opt)_|_(image|img|path|file|iter|dir|folder)$", "", plain)
    plain = _HABITS.get(plain, plain)
    if plain in ("out", "output", "result"):
        return InputError(
            f"unknown flag --{name}: give --output FILE, or --workdir DIR for all files of a run"
        )
    if plain in ("gpu", "device", "backend", "cuda"):
        return InputError(f"unknown flag --{name}: set the variable JAX_PLATFORMS to cpu, cuda or tpu")
    last = {field.rpartition(".")[2]: f"config.{field}" for field in reversed(FIELDS[modality])}
    own = {flag: flag for flag in values if flag not in ("?", "help") and not flag.startswith("config.")}
    similar = difflib.get_close_matches(plain, [*own, *last], n=3)
    if plain in last:
        similar = [plain]
    names = " or ".join(f"--{(last | own)[each]}=VALUE" for each in similar)
    return InputError(f"unknown flag --{name}: " + (f"give {names}" if names else "--help lists all flags"))


def _flag_error(arguments: Sequence[str], modality: str, error: BaseException) -> InputError:
    """Return one line that names the flag: absl and ml_collections raise anything."""
    for name in re.findall(r"^--?config\.([\w.]+)", "\n".join(arguments), re.MULTILINE):
        if name not in FIELDS[modality]:
            return unknown_field(name, modality)
    text = str(error.args[0] if isinstance(error, KeyError) else error).strip()
    return InputError(" ".join(text.split()).removeprefix("FATAL Flags parsing error: "))
