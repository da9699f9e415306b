"""The config that a run directory records, to repeat the run or to continue it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst import runs
from nst.config import FIELDS, modality_of, unknown_field
from nst.errors import InputError
from nst.files import user_path
from nst.runs.follow import recorded, reloaded
from nst.runs.modality import Modality
from nst.types import Values


def config_of(path: Path) -> ConfigDict:
    """Return the config in the file config.json of a run; an input that was a folder is the file that the run used.

    Args:
      path: The file.

    Raises:
      InputError: The file can't be read, or is not that of a run.
    """
    try:
        facts = json.loads(path.read_bytes())
        values = recorded(facts["config"])
        modality = modality_of(values)
        for name in values:
            if name not in FIELDS[modality]:
                raise unknown_field(name, modality)
        return reloaded(files_used(values, facts["inputs"], runs.modality(values)))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): give the config.json of a run") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not the config.json of a run: give one, or a config file") from error


def files_used(values: Values, inputs: Any, modality: Modality) -> dict[str, Any]:
    """Return the values of a config with the file that a run used in place of a folder.

    Args:
      values: Values by dotted name.
      inputs: The entry `inputs` of config.json, which may be damaged.
      modality: The modality of the run.
    """
    result = dict(values)
    for name in modality.inputs:
        field, entry = modality.field(name), inputs.get(name) if isinstance(inputs, Mapping) else None
        path = Path(str(entry.get("path") if isinstance(entry, Mapping) else None))
        if path.parent == user_path(str(values.get(field))):
            result[field] = str(path)
    return result
