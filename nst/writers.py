"""TensorBoard and Weights & Biases as additional outputs of a run; nothing depends on them."""

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
from nst.audio import packages
from nst.errors import InputError, RunError, unknown

# Seconds that a run waits at its end for uploads. The rest stays on disk for `wandb sync`.
_UPLOAD_SECONDS = 300


class WriterWarning(UserWarning):
    """A writer failed and the run goes on without it."""


class Writer(NamedTuple):
    """The functions of a writer.

    Attributes:
      log: Write a line of `metrics.jsonl`.
      frame: Write the image or audio of a step, from a PNG or WAV file.
      close: End the output.
      last: The last step that the writer has from an earlier run in the directory; -1 if none.
    """

    log: Callable[[Mapping[str, Any]], None]
    frame: Callable[[int, Path], None]
    close: Callable[[], None]
    last: int = -1


def _tensorboard(folder: Path, facts: Mapping[str, Any]) -> Writer:
    """Open an event file in `tensorboard/`, without the queue of a `SummaryWriter`, which hangs on a full disk."""
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

    def add(step: int, **fields: Any) -> None:
        records.write(Event(wall_time=time.time(), step=step, **fields).SerializeToString())
        file.flush()

    def show(step: int, *values: Any) -> None:
        add(step, summary=Summary(value=values))

    def log(line: Mapping[str, Any]) -> None:
        show(line["step"], *(Summary.Value(tag=k, simple_value=v) for k, v in _values(line).items()))

    def frame(step: int, path: Path) -> None:
        if path.suffix == ".wav":
            show(step, Summary.Value(tag="audio", audio=_audio(path, Summary.Audio)))
        if path.suffix != ".png":
            return
        with Image.open(path) as opened:
            (width, height), channels = opened.size, len(opened.getbands())
        image = Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=path.read_bytes()
        )
        show(step, Summary.Value(tag="image", image=image))

    add(0, file_version="brain.Event:2")
    add(0, session_log=SessionLog(status=SessionLog.START))  # TensorBoard then drops events of earlier files
    text = f"```json\n{json.dumps(facts, indent=2, ensure_ascii=False)}\n```"
    tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()])
    show(0, Summary.Value(tag="config", tensor=tensor, metadata=create_summary_metadata("", "")))
    for path in earlier:  # the new file gets all lines and frames of the run
        path.unlink()
    return Writer(log, frame, file.close)


def _audio(path: Path, summary: Callable[..., Any]) -> Any:
    """Return a WAV file as TensorBoard's `Summary.Audio`."""
    facts = packages.soundfile().info(path)
    return summary(
        sample_rate=facts.samplerate,
        num_channels=facts.channels,
        length_frames=facts.frames,
        encoded_audio_string=path.read_bytes(),
        content_type="audio/wav",
    )


def _wandb(folder: Path, facts: Mapping[str, Any]) -> Writer:
    """Open a run in `wandb/`, or the same one again if the run is resumed.

    Offline, each process writes a part of its own, and the newest part gets all lines and frames of the run.
    """
    import wandb

    quiet = wandb.Settings(silent=True, console="off")
    mode = wandb.setup(quiet).settings.mode
    if mode in ("online", "shared") and not wandb.login(prompt=False):  # a prompt would not be visible
        raise RuntimeError("no account is logged in: `wandb login`, or WANDB_MODE=offline")
    id_file, sweep = folder / "wandb" / "id", folder.absolute().parent.parent
    quiet.finish_timeout, quiet.finish_timeout_raises = _UPLOAD_SECONDS, True
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "nst"),
        dir=folder.absolute(),
        id=id_file.read_text() if id_file.exists() else None,
        name=folder.absolute().name,
        group=sweep.name if (sweep / "plan.json").exists() else None,
        config={**facts["config"], **{name: facts[name] for name in facts if name != "config"}},
        allow_val_change=True,  # a resumed run may have more steps
        resume="allow",
        reinit="create_new",  # each run of a batch has its own
        settings=quiet,
    )
    if not run.disabled:
        files.write_bytes(id_file, run.id.encode())

    def close() -> None:
        run.finish(exit_code=0 if (folder / "done").exists() else 1)

    def frame(step: int, path: Path) -> None:
        if path.suffix == ".wav":
            run.log({"audio": wandb.Audio(str(path))}, step=step)
        elif path.suffix == ".png":
            run.log({"image": wandb.Image(str(path))}, step=step)

    return Writer(
        log=lambda line: run.log(_values(line), step=line["step"]),
        frame=frame,
        close=close,
        last=run.step - 1,
    )


#: Functions that open a writer, given the run directory and the content of its config.json, by the package's name.
WRITERS: dict[str, Callable[[Path, Mapping[str, Any]], Writer]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
}


def check(names: Sequence[Any]) -> None:
    """Raise InputError if a writer is unknown or not installed, without importing any."""
    for name in map(str, names):
        if name not in WRITERS:
            raise unknown("run.writers", name, WRITERS)
        # `find_spec` also finds a folder of that name, such as `wandb/` of a run, but without an origin.
        if getattr(importlib.util.find_spec(name), "origin", None) is None:
            raise InputError(f"run.writers: {name} is not installed: pip install 'nst[{name}]'")


@contextmanager
def opened(
    names: Sequence[str],
    folder: Path,
    facts: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]] = (),
    frames: Mapping[int, Path] | None = None,
) -> Iterator[Writer]:
    """Yield several writers as one and close them when the block ends; one that fails is dropped with a warning.

    Args:
      names: Names in `WRITERS`.
      folder: The run directory.
      facts: The content of its config.json.
      lines: The lines of `metrics.jsonl` so far.
      frames: The image or audio files so far, by step.

    Raises:
      InputError: A writer can't be opened.
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
                    f"run.writers: {name} can't be opened ({_reason(error)}): fix that, or leave it out"
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
            message = f"{name}: {_reason(error)}: the run goes on without it, metrics.jsonl has everything"
            warnings.warn(message, WriterWarning, stacklevel=2)


def _values(line: Mapping[str, Any]) -> dict[str, float | int]:
    """Return the loss, its terms and the evaluations; steps and seconds are left to the writers."""
    return {name: value for name, value in line.items() if name not in ("step", "seconds")}


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
