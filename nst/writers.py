"""TensorBoard and Weights & Biases beside a run's record: they show what it has, and nothing depends on them."""

import contextlib
import importlib.util
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from nst import files
from nst.errors import InputError, RunError, unknown
from nst.sounds import packages

# Seconds that a run waits at its end for what is still to be uploaded. The rest is on disk for `wandb sync`.
_LAST_WORDS = 300


class WriterWarning(UserWarning):
    """A writer failed and the run goes on without it."""


class Writer(NamedTuple):
    """What shows a run: a line of `metrics.jsonl`, the picture or sound of a step (PNG or WAV), the end.

    `last` is the last step that it has from an earlier run in the directory, -1 if none.
    """

    log: Callable[[Mapping[str, Any]], None]
    frame: Callable[[int, Path], None]
    close: Callable[[], None]
    last: int = -1


def _tensorboard(folder: Path, facts: Mapping[str, Any]) -> Writer:
    """An event file in `tensorboard/`, written at once: the queue of a `SummaryWriter` would wait on a full disk."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[attr-defined]
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[attr-defined]
    from tensorboard.compat.proto.tensor_pb2 import TensorProto  # type: ignore[attr-defined]
    from tensorboard.plugins.text.metadata import create_summary_metadata
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder = folder / "tensorboard"
    folder.mkdir(parents=True, exist_ok=True)
    earlier = [*folder.glob("events.out.tfevents.*")]
    file = open(folder / f"events.out.tfevents.{time.time_ns()}", "xb")  # noqa: SIM115  (`close` does)
    records = RecordWriter(file)

    def add(step: int, **what: Any) -> None:
        records.write(Event(wall_time=time.time(), step=step, **what).SerializeToString())
        file.flush()

    def show(step: int, *values: Any) -> None:
        add(step, summary=Summary(value=values))

    def log(line: Mapping[str, Any]) -> None:
        show(line["step"], *(Summary.Value(tag=k, simple_value=v) for k, v in _values(line).items()))

    def frame(step: int, path: Path) -> None:
        if path.suffix == ".wav":
            show(step, Summary.Value(tag="sound", audio=_heard(path, Summary.Audio)))
        if path.suffix != ".png":
            return
        with Image.open(path) as opened:
            width, height = opened.size
        image = Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=path.read_bytes()
        )
        show(step, Summary.Value(tag="picture", image=image))

    add(0, file_version="brain.Event:2")
    add(0, session_log=SessionLog(status=SessionLog.START))  # forget what was read of earlier files
    text = f"```json\n{json.dumps(facts, indent=2, ensure_ascii=False)}\n```"
    tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()])
    show(0, Summary.Value(tag="config", tensor=tensor, metadata=create_summary_metadata("", "")))
    for path in earlier:  # this one will have all that the record has
        path.unlink()
    return Writer(log, frame, file.close)


def _heard(path: Path, audio: Callable[..., Any]) -> Any:
    """A WAV as TensorBoard has it."""
    facts = packages.soundfile().info(path)
    return audio(
        sample_rate=facts.samplerate,
        num_channels=facts.channels,
        length_frames=facts.frames,
        encoded_audio_string=path.read_bytes(),
        content_type="audio/wav",
    )


def _wandb(folder: Path, facts: Mapping[str, Any]) -> Writer:
    """A run in `wandb/`, the same one when it is resumed; offline the newest part then has the whole."""
    import wandb

    quiet = wandb.Settings(silent=True, console="off")
    mode = wandb.setup(quiet).settings.mode
    if mode in ("online", "shared") and not wandb.login(prompt=False):  # nobody would see a silent prompt
        raise RuntimeError("no account is logged in: `wandb login`, or WANDB_MODE=offline")
    known, sweep = folder / "wandb" / "id", folder.absolute().parent.parent
    quiet.finish_timeout, quiet.finish_timeout_raises = _LAST_WORDS, True
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "nst"),
        dir=folder.absolute(),
        id=known.read_text() if known.exists() else None,
        name=folder.absolute().name,
        group=sweep.name if (sweep / "plan.json").exists() else None,
        config={**facts["config"], **{name: facts[name] for name in facts if name != "config"}},
        allow_val_change=True,  # more steps
        resume="allow",
        reinit="create_new",  # runs in lock-step have one each
        settings=quiet,
    )
    if not run.disabled:
        files.write_bytes(known, run.id.encode())

    def close() -> None:
        run.finish(exit_code=0 if (folder / "done").exists() else 1)

    def frame(step: int, path: Path) -> None:
        if path.suffix == ".wav":
            run.log({"sound": wandb.Audio(str(path))}, step=step)
        elif path.suffix == ".png":
            run.log({"picture": wandb.Image(str(path))}, step=step)

    return Writer(
        log=lambda line: run.log(_values(line), step=line["step"]),
        frame=frame,
        close=close,
        last=run.step - 1,
    )


#: What opens a writer, by the name of its package: given the run directory and what its config.json says.
WRITERS: dict[str, Callable[[Path, Mapping[str, Any]], Writer]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
}


def check(names: Sequence[Any]) -> None:
    """Refuse writers that are unknown or not installed, without importing any.

    Raises:
      InputError: Which, and what to install.
    """
    for name in map(str, names):
        if name not in WRITERS:
            raise unknown("config.run.writers", name, WRITERS)
        # A folder of the name that lies about is found too, but is no file.
        if getattr(importlib.util.find_spec(name), "origin", None) is None:
            raise InputError(f"config.run.writers: {name} is not installed: pip install 'nst[{name}]'")


@contextmanager
def opened(
    names: Sequence[str],
    folder: Path,
    facts: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]] = (),
    frames: Mapping[int, Path] | None = None,
) -> Iterator[Writer]:
    """All of these as one writer, closed when the block ends. One that fails is warned of and left out from then on.

    Args:
      names: Of `WRITERS`.
      folder: The run directory.
      facts: What its config.json says.
      lines: What the record has already: the lines of its metrics,
      frames: and its pictures or sounds, by step.

    Raises:
      InputError: One can't be opened.
    """
    writers: dict[str, Writer] = {}
    try:
        for name in dict.fromkeys(names):
            try:
                writers[name] = WRITERS[name](folder, facts)
                _catch_up(writers[name], lines, frames or {})
            except RunError:  # a signal
                raise
            except Exception as error:
                raise InputError(
                    f"config.run.writers: {name} can't be opened ({_reason(error)}): mend that, or leave it out"
                ) from error
        yield Writer(
            log=lambda line: _each(writers, lambda writer: writer.log(line)),
            frame=lambda step, path: _each(writers, lambda writer: writer.frame(step, path)),
            close=lambda: None,
        )
    finally:
        _each(writers, lambda writer: writer.close())


def _catch_up(writer: Writer, lines: Sequence[Mapping[str, Any]], frames: Mapping[int, Path]) -> None:
    logged = {line["step"]: line for line in lines}
    for step in sorted({*logged, *frames}):
        if step > writer.last and step in logged:
            writer.log(logged[step])
        if step > writer.last and step in frames:
            writer.frame(step, frames[step])


def _each(writers: dict[str, Writer], call: Callable[[Writer], None]) -> None:
    for name, writer in [*writers.items()]:
        try:
            call(writer)
        except RunError:  # a signal
            raise
        except Exception as error:
            del writers[name]
            with contextlib.suppress(Exception):
                writer.close()
            told = f"{name}: {_reason(error)}: the run goes on without it, metrics.jsonl has everything"
            warnings.warn(told, WriterWarning, stacklevel=2)


def _values(line: Mapping[str, Any]) -> dict[str, float | int]:
    """The loss, its terms and the evaluations: both writers have clocks of their own."""
    return {name: value for name, value in line.items() if name not in ("step", "seconds")}


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
