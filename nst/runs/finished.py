"""Records of finished runs."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from nst import files, record, runs
from nst.errors import InputError
from nst.runs.modality import Modality


class Finished(NamedTuple):
    """The record of a finished run."""

    modality: Modality
    config: ConfigDict
    inputs: Mapping[str, Mapping[str, str]]  # path and SHA-256 of each file read, by name
    result: Mapping[str, str]  # path in the run directory, and SHA-256
    terms: Mapping[str, float]  # the loss and its terms at the end


def finished(folder: Path) -> Finished:
    """Read the record of a finished run.

    Raises:
      InputError: There is no finished run, its record is damaged, or its result is missing.
    """
    if not (folder / "config.json").exists():
        raise InputError(f"{folder} is not a run directory: give one with a config.json")
    if not (folder / "done").exists():
        raise InputError(f"{folder} is not finished: go on with nst run --resume --workdir {folder}")
    lines = record.metrics(folder / "metrics.jsonl")
    with undamaged(folder):
        facts = json.loads((folder / "config.json").read_text())
        config, inputs = ConfigDict(facts["config"]), dict(facts["inputs"])
        terms = {name: value for name, value in lines[-1].items() if name not in record.COUNTERS}
    modality = runs.modality(config)
    return Finished(modality, config, inputs, written(folder, modality.result.name), terms)


@contextmanager
def undamaged(folder: Path) -> Iterator[None]:
    """Raise InputError if the record of a run lacks fields that the block reads."""
    try:
        yield
    except InputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/config.json or metrics.jsonl is damaged: repeat the run") from error


def written(folder: Path, name: str) -> dict[str, Any]:
    """Return the path and the SHA-256 of a file that the run itself wrote.

    Raises:
      InputError: The file is missing.
    """
    if not (folder / name).exists():
        raise InputError(f"{folder / name} is missing: repeat the run")
    return {"path": name, "sha256": files.sha256(folder / name)}
