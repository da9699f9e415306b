"""A config field, and the fields that all modalities share."""

from typing import Any, Literal, NamedTuple

#: The role of a field in a run, from the most to the least expensive to change:
#:
#: * `structure`: another value compiles other programs.
#: * `number`: an argument of compiled functions. Other values share the programs, also in one batched call.
#: * `input`: a file, or a seed of initial values only. It may differ in a batched call, like a number.
#: * `count`: a number of steps. No compiled program depends on it, but a batch must share it.
#: * `record`: a setting of the output. No result depends on it.
Role = Literal["structure", "number", "input", "count", "record"]


class Field(NamedTuple):
    """A config field.

    Attributes:
      default: The default value, or None for a field that follows others unless it is set.
      what: The meaning, the unit, and the reason of the default.
      role: Its role in a run.
      check: The range of a number, or of each number of a tuple: `positive`, `not negative`, or empty for any.
      follows: The field that an unset field follows; `nst.runs.follow` has the rule.
      example: A value for messages, which also gives the type of a field without a default.
      also: Another type that values may have.
    """

    default: Any
    what: str
    role: Role = "structure"
    check: Literal["", "positive", "not negative"] = ""
    follows: str = ""
    example: Any = None
    also: type | None = None

    @property
    def type(self) -> type:
        """The type of the values; a float may be given as an int, and a tuple as a list."""
        return type(self.example if self.default is None else self.default)


#: Fields of every modality.
RUN = {
    "run.log_every": Field(10, "steps between lines of metrics.jsonl", "count", "positive"),
    "run.save_every": Field(50, "steps between checkpoints", "count", "positive"),
    "run.frame_every": Field(
        None,
        "steps between intermediate results; unset: as between checkpoints",
        "count",
        "positive",
        follows="run.save_every",
        example=10,
    ),
    "run.writers": Field(
        (), "outputs in addition to metrics.jsonl: tensorboard, wandb", "record", example=("tensorboard",)
    ),
}


def modality(name: str) -> Field:
    """Return the field `modality` of a modality."""
    return Field(name, "what is stylized: image, audio or video; each config file is for one of them")


#: `loss.resample`.
RESAMPLE = Field(
    None,
    "whether a loss draws its random directions and positions anew at each step; unset: if the optimizer tolerates "
    "it, as adam does",
    follows="optimizer.name",
    example=True,
)
