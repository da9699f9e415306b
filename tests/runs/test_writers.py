"""TensorBoard and Weights & Biases, offline: they have the record of a run, also after a crash, and harm no run."""

import importlib.util
import json
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from absl.flags import FlagValues

from nst import record, runs, writers
from nst.config import base
from nst.errors import InputError
from nst.flags import parse
from nst.runs import progress
from nst.runs.recorder import Recorder
from nst.writers import Writer, WriterWarning

ROOT = Path(__file__).parent.parent.parent
BOTH = ("tensorboard", "wandb")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")


def shown_by_tensorboard(folder):
    """Return the scalars, and the bytes of images, by step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"), {"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    lines = {}
    for tag in events.Tags()["scalars"]:
        for event in events.Scalars(tag):
            assert tag not in lines.setdefault(event.step, {}), "twice"
            lines[event.step][tag] = event.value
    pictures = [(event.step, event.encoded_image_string) for event in events.Images("image")]
    assert len(dict(pictures)) == len(pictures), "twice"
    (config,) = events.Tensors("config")
    text = config.tensor_proto.string_val[0].decode()
    assert json.loads(text.strip("`").removeprefix("json")) == json.loads(
        (folder / "config.json").read_text()
    )
    return lines, dict(pictures)


def wandb_records(data):
    """Yield the records of a file: a header of 7 bytes, then a LevelDB log of protobuf messages in 32 KiB blocks."""
    from wandb.proto.wandb_internal_pb2 import Record

    at, part = 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        part += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last of several parts
            yield Record.FromString(part)
            part = b""


def messages(part):
    """Return all messages: wandb's service may still write the last ones after `finish` has returned."""
    (path,) = part.glob("*.wandb")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        records = [*wandb_records(path.read_bytes())]
        if records and records[-1].WhichOneof("record_type") == "exit":
            return records
        time.sleep(0.05)
    raise AssertionError("the run did not end")


def shown_by_wandb(folder):
    """Return the same for the newest part, the message that describes the run, and the exit code."""
    part = sorted((folder / "wandb").glob("offline-run-*"))[-1]
    lines, pictures, run, code = {}, {}, None, None
    for message in messages(part):
        kind = message.WhichOneof("record_type")
        if kind == "run":
            run = message.run
        if kind == "exit":
            code = message.exit.exit_code
        if kind != "history":
            continue
        items = {
            item.key or "/".join(item.nested_key): json.loads(item.value_json)
            for item in message.history.item
        }
        step = message.history.step.num
        assert step not in lines, "twice"
        lines[step] = {k: v for k, v in items.items() if not k.startswith(("_", "image/"))}
        if "image/path" in items:
            pictures[step] = (part / "files" / items["image/path"]).read_bytes()
    return {step: line for step, line in lines.items() if line}, pictures, run, code


def recorded(folder):
    lines = record.metrics(folder / "metrics.jsonl")
    return {
        line["step"]: {k: v for k, v in line.items() if k not in ("step", "seconds")} for line in lines
    }, {int(path.stem): path.read_bytes() for path in (folder / "frames").glob("*.png")}


def agree(actual, expected, turn=8):
    """Compare with the record. At step `turn` a scale ends: writers have its last image, the folder the next one's."""
    (lines, pictures), (expected_lines, expected_pictures) = actual, expected
    assert lines == expected_lines
    assert set(pictures) == set(expected_pictures)
    assert {s: p for s, p in pictures.items() if s != turn} == {
        s: p for s, p in expected_pictures.items() if s != turn
    }


@pytest.mark.slow
def test_they_have_the_record_and_do_not_change_the_image(config, finished, tmp_path, capfd):
    config.run.writers = BOTH
    runs.run(config, tmp_path / "run")
    capture = capfd.readouterr()
    assert "wandb" not in capture.out + capture.err
    expected = recorded(tmp_path / "run")
    assert list(expected[0]) == [0, 5, 10, 15, 20]
    assert list(expected[0][0]) == ["evaluations", "loss", "content", "style", "tv"]
    agree(shown_by_tensorboard(tmp_path / "run"), expected)
    *actual, run, code = shown_by_wandb(tmp_path / "run")
    agree(actual, expected)
    assert (run.project, run.display_name, run.run_group, code) == ("nst", "run", "", 0)
    written = {item.key: json.loads(item.value_json) for item in run.config.update}
    facts = json.loads((tmp_path / "run" / "config.json").read_text())
    assert facts["config"]["run"]["writers"] == [*BOTH]
    assert written.items() >= (facts["config"] | {"device": facts["device"]}).items()
    assert (tmp_path / "run" / "image.png").read_bytes() == (finished / "image.png").read_bytes()
    assert recorded(tmp_path / "run") == recorded(finished)


@pytest.mark.slow
def test_writers_of_a_killed_and_resumed_run_have_every_step_once(config, finished, tmp_path, monkeypatch):
    take = Recorder.take

    def take_and_die(self, snapshot):
        take(self, snapshot)
        if snapshot.step == 15:  # the checkpoint is of step 12
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    for names in [("tensorboard",), BOTH]:
        config.run.writers = names
        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "take", take_and_die)
            with pytest.raises(KeyboardInterrupt):
                runs.run(config, folder, resume=folder.exists())
        assert max(shown_by_tensorboard(folder)[0]) == 15
    *_, run, code = shown_by_wandb(folder)
    assert code == 1
    time.sleep(1)  # wandb names a part by the second
    runs.run(config, folder, resume=True)
    agree(shown_by_tensorboard(folder), recorded(finished))
    *actual, same, code = shown_by_wandb(folder)
    agree(actual, recorded(finished))
    assert (same.run_id, code) == (run.run_id, 0)
    assert (folder / "image.png").read_bytes() == (finished / "image.png").read_bytes()
    config.run.writers = ()  # the run is finished with any writers
    runs.run(config, folder, resume=True)
    assert json.loads((folder / "config.json").read_text())["config"]["run"]["writers"] == [*BOTH]


@pytest.mark.slow
def test_each_run_of_a_batch_has_its_own(config, tmp_path):
    config.run.writers, config.pyramid.scales, config.optimizer.steps = BOTH, (), 8
    other = config.copy_and_resolve_references()
    other.loss.style_weight = 1.0
    folders = [tmp_path / "sweep" / "trials" / name for name in ("a", "b")]
    folders[0].mkdir(parents=True)
    (tmp_path / "sweep" / "plan.json").touch()
    both = list(zip((config, other), folders, strict=True))
    assert runs.together(both, shows=[progress.bar] * 2) == [None, None]
    for folder in folders:
        agree(shown_by_tensorboard(folder), recorded(folder))
        *actual, run, _ = shown_by_wandb(folder)
        agree(actual, recorded(folder))
        assert (run.display_name, run.run_group) == (folder.name, "sweep")
    assert recorded(folders[0])[0] != recorded(folders[1])[0]


class Fake:
    """A writer that records its calls and fails at one of them."""

    def __init__(self, fails_at=None):
        self.calls, self._fails_at = [], fails_at

    def open(self, folder, facts):
        return Writer(
            log=lambda line: self._note("log", line["step"]),
            frame=lambda step, path: self._note("picture", step),
            close=lambda: self._note("close"),
        )

    def _note(self, *call):
        self.calls.append(call)
        if call == self._fails_at:
            raise OSError("the disk\nis full")


@pytest.mark.parametrize("call", [("log", 10), ("picture", 8), ("close",)])
def test_a_failing_writer_is_warned_of_once_and_the_run_goes_on(
    config, finished, tmp_path, monkeypatch, call
):
    good, bad = Fake(), Fake(call)
    monkeypatch.setattr(writers, "WRITERS", {"wandb": bad.open, "tensorboard": good.open})
    config.run.writers = ("wandb", "tensorboard")
    with pytest.warns(WriterWarning, match="wandb: the disk is full: the run goes on without it") as warned:
        runs.run(config, tmp_path / "run")
    assert len(warned) == 1
    assert (tmp_path / "run" / "image.png").read_bytes() == (finished / "image.png").read_bytes()
    assert bad.calls[bad.calls.index(call) + 1 :] == [("close",)]
    assert [step for name, *step in good.calls if name == "log"] == [[0], [5], [10], [15], [20]]
    assert good.calls[-1] == ("close",)


def test_a_writer_that_cannot_be_opened_is_refused_and_the_others_closed(config, tmp_path, monkeypatch):
    def refuse(folder, facts):
        raise RuntimeError("no account\nat all")

    good = Fake()
    monkeypatch.setattr(writers, "WRITERS", {"tensorboard": good.open, "wandb": refuse})
    config.run.writers = BOTH
    with pytest.raises(InputError, match=r"wandb can't be opened \(no account at all\): fix that, or leave"):
        runs.run(config, tmp_path / "run")
    assert good.calls == [("close",)]
    config.run.writers = ()
    runs.run(config, tmp_path / "run")  # the refused run has left no files


def test_unknown_or_missing_writers_are_refused_before_anything_is_done(config, tmp_path, monkeypatch):
    config.run.writers = ("tensorbord",)
    with pytest.raises(InputError, match=r"unknown run\.writers 'tensorbord': did you mean tensorb"):
        runs.run(config, tmp_path / "run")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in BOTH else find(name))
    for name in BOTH:
        config.run.writers = (name,)
        with pytest.raises(InputError, match=rf"{name} is not installed: pip install 'nst\[{name}\]'$"):
            runs.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_their_packages_are_imported_only_if_needed():
    code = (
        f"import nst.cli, nst.writers, sys; nst.writers.check({BOTH}); print({{*{BOTH}}} & {{*sys.modules}})"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


@pytest.mark.parametrize("value", ["wandb", "('wandb',)"])
def test_a_word_is_a_tuple_on_the_command_line(value):
    assert parse(FlagValues(), base(), [f"--config.run.writers={value}"]).run.writers == ("wandb",)
