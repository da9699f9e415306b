"""A modality registered from outside is run, resumed and reported; those of nst name each file once."""

import json
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

import nst.config
from nst import checkpoint, cli, evaluation, files, report, runs
from nst.config import FIELDS, Field
from nst.errors import InputError
from nst.runs import File, Job, Limit, Modality
from nst.stages import Snapshot

NAMES = ("a", "b", "c")


class State(NamedTuple):
    """Numbers, and their distance to a target."""

    params: Any
    value: Any
    terms: dict[str, Any]


def state_of(params, target):
    value = jnp.sum((params - target) ** 2)
    return State(params, value, {"distance": value})


class Task(NamedTuple):
    """Numbers that move halfway to the mean of three files at each step."""

    config: ConfigDict
    numbers: Mapping[str, np.ndarray]
    files: dict[str, Any]

    @property
    def steps(self) -> list[int]:
        return [self.config.optimizer.steps]

    def save_input(self, name: str, folder: Path) -> None:
        write(folder / f"{name}.txt", self.numbers[name])

    def snapshots(self, resume, release):
        target = jnp.asarray(np.mean([*self.numbers.values()], axis=0))
        state, begin = state_of(jnp.zeros_like(target), target), 0
        if resume is not None:
            like = jax.eval_shape(lambda: (state, None, None))
            state, *_ = resume.restore(like)
            begin = resume.stage
        for step in range(begin, self.config.optimizer.steps + 1):
            # Each step is a stage of its own, so that `resume.stage` is the step.
            final = step == self.config.optimizer.steps
            yield Snapshot(step, step, step + 1, state, None, state.params, last=True, final=final)
            state = state_of((state.params + target) / 2, target)

    def frame(self, params: Any, path: Path) -> None:
        write(path, params)

    def results(self, params: Any, folder: Path, facts: str, output: Path | None) -> None:
        for path in (folder / "numbers.txt", output):
            if path is not None:
                write(path, params)


def write(path, numbers):
    files.write_bytes(path, " ".join(f"{number:.6f}" for number in np.asarray(numbers)).encode())


def parse(path):
    try:
        return np.array([float(word) for word in path.read_text().split()], np.float32)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} has no numbers: give another") from error


def find(config: ConfigDict, name: str) -> list[Path]:
    path = Path(config.numbers[name])
    if name == "weights":
        return [path] if config.numbers.weights else []
    return sorted(path.glob("*.txt")) if path.is_dir() else [path]


def check(config: ConfigDict, jobs: Any, limit: Any) -> None:
    for job in jobs:
        for path in job.inputs.values():
            if len(parse(path)) > limit:
                raise InputError(f"{path} has more than {limit} numbers: raise --max_numbers")


def read(config: ConfigDict, job: Job, extractor: None, limit: Any) -> Task:
    hashes = {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in job.inputs.items()}
    return Task(config, {name: parse(path) for name, path in job.inputs.items()}, hashes)


NUMBERS = Modality(
    name="numbers",
    group="numbers",
    inputs={name: File(f"{name}.txt") for name in NAMES},
    optional={"weights": File("weights.txt")},
    result=File("numbers.txt"),
    config="configs/numbers.py",
    limit=Limit("max_numbers", 10, "Refuse more numbers."),
    remedy="give fewer numbers",
    find=find,
    each=lambda name, value: [value],
    check_output=lambda config, path: None,
    check=check,
    read=read,
    steps=lambda config: [int(config["optimizer.steps"])],
    size=lambda config: "numbers",
)


@pytest.fixture
def registered(monkeypatch):
    """Register the modality and its fields."""
    table = {"modality": Field("numbers", "what is stylized")}
    table |= {f"numbers.{name}": Field("", "a file", "input") for name in (*NAMES, "weights")}
    table |= {"numbers.seed": Field(0, "not used", "input"), "optimizer.steps": Field(6, "steps", "count")}
    table |= {
        f"run.{name}": Field(2, "steps", "count", "positive")
        for name in ("log_every", "save_every", "frame_every")
    }
    table["run.writers"] = Field((), "writers", "record")
    monkeypatch.setitem(FIELDS, "numbers", table)
    monkeypatch.setitem(runs.MODALITIES, "numbers", NUMBERS)


@pytest.fixture
def config(registered, tmp_path):
    config = nst.config.base("numbers")
    for i, name in enumerate(NAMES):
        path = tmp_path / "given" / f"{name}{i}.txt"
        write(path, np.arange(4) * (1 + i))
        config.numbers[name] = str(path)
    return config


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "metrics.jsonl") and "checkpoint" not in path.parts
    }


def test_it_runs(config, tmp_path):
    (folder,) = runs.run(config, tmp_path / "run", output=tmp_path / "copy.txt")
    expected = {"a.txt", "b.txt", "c.txt", "numbers.txt", "config.json", "curve.png", "done"}
    assert set(contents(folder)) == expected | {f"frames/{step:06}.txt" for step in (0, 2, 4, 6)}
    assert (tmp_path / "copy.txt").read_bytes() == (folder / "numbers.txt").read_bytes()
    np.testing.assert_allclose(parse(folder / "numbers.txt"), 2 * np.arange(4) * (1 - 0.5**6), atol=1e-5)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2, 4, 6]
    assert lines[-1]["distance"] == lines[-1]["loss"] < lines[0]["loss"]
    assert [*json.loads((folder / "config.json").read_text())["inputs"]] == [*NAMES]


def test_it_is_stopped_with_its_inputs_saved_and_resumed_to_the_byte(config, tmp_path):
    @contextmanager
    def stopped(total):
        yield lambda snapshot: 1 / (3 - snapshot.step)

    (whole,) = runs.run(config, tmp_path / "whole")
    part = tmp_path / "part"
    with pytest.raises(ZeroDivisionError):
        runs.run(config, part, show=stopped)
    assert {"a.txt", "b.txt", "c.txt"} <= set(contents(part))
    assert "numbers.txt" not in contents(part)
    assert checkpoint.read(part / "checkpoint")[0]["step"] == 2
    runs.run(config, part, resume=True)
    assert contents(part) == contents(whole)
    (part / "b.txt").unlink()  # as in a directory of an older version
    runs.run(config, part, resume=True)
    assert contents(part) == contents(whole)
    Path(config.numbers.b).write_text("9 9 9 9")
    with pytest.raises(InputError, match=r"holds another run \(b\.sha256 was"):
        runs.run(config, part, resume=True)


def test_every_combination_of_its_files_is_a_run(config, tmp_path):
    write(tmp_path / "given" / "other" / "x.txt", np.ones(4))
    write(tmp_path / "given" / "other" / "y.txt", np.ones(4))
    config.numbers.b = config.numbers.c = str(tmp_path / "given" / "other")
    config.numbers.weights = config.numbers.a
    folders = runs.run(config, tmp_path / "runs")
    assert [folder.name for folder in folders] == ["a0-x-x", "a0-x-y", "a0-y-x", "a0-y-y"]
    assert all((folder / "weights.txt").exists() for folder in folders)
    data = report.collect(tmp_path / "runs")
    assert [field["name"] for field in data["fields"]] == ["numbers.b", "numbers.c"]
    assert [field["labels"] for field in data["fields"]] == [["x", "y"]] * 2


def test_it_appears_in_a_report(config, tmp_path):
    (folder,) = runs.run(config, tmp_path / "run")
    data = report.collect(folder)
    (trial,) = data["trials"]
    assert data["inputs"] == [*NAMES]
    assert (trial["group"], trial["state"], trial["step"], trial["total"]) == ("numbers", "done", 6, 6)
    assert (trial["result"], trial["frame"], trial["audio"]) == (None, "", {})
    assert trial["inputs"] == dict.fromkeys(NAMES)
    assert trial["files"] == ["numbers.txt", "a.txt", "b.txt", "c.txt", "curve.png"]
    assert trial["command"].startswith("nst run --config configs/numbers.py --config.numbers.a=")
    assert len(report.write(folder, table=True, figures=True)) >= 3
    (folder / "done").unlink()
    (folder / "numbers.txt").unlink()
    assert report.collect(folder)["trials"][0]["frame"] == "frames/000006.txt"


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_its_limit_is_a_flag_and_its_files_are_its_own(config, tmp_path, monkeypatch, capsys):
    with pytest.raises(InputError, match="raise --max_numbers"):
        runs.run(config, tmp_path / "run", limit=3)
    path = tmp_path / "numbers.py"
    path.write_text("import nst.config\ndef get_config():\n    return nst.config.base('numbers')\n")
    flags = [f"--config.numbers.{name}={config.numbers[name]}" for name in NAMES]
    arguments = [f"--config={path}", *flags, f"--workdir={tmp_path / 'run'}"]
    monkeypatch.setattr("sys.argv", ["run.py", *arguments])
    with pytest.raises(InputError, match="more than 3 numbers"):
        cli.run([*arguments, "--max_numbers=3"])
    with pytest.raises(InputError, match="one of the run's own files"):
        cli.run([*arguments, f"--output={tmp_path / 'run' / 'b.txt'}"])
    cli.run(arguments)
    assert capsys.readouterr().out.strip() == str(tmp_path / "run" / "numbers.txt")


def test_a_modality_without_metrics_is_an_error_of_one_line(config, tmp_path):
    (folder,) = runs.run(config, tmp_path / "run")
    with pytest.raises(InputError, match="runs of modality numbers have no metrics"):
        evaluation.of_runs([folder])


@pytest.mark.parametrize("name", [*runs.MODALITIES])
def test_a_modality_names_each_file_once(name):
    of = runs.MODALITIES[name]
    assert of.name == name
    files = [file for each in (*of.saved.values(), of.result) for file in {*each} if file]
    assert len({*files, "sheet.png", "curve.png"}) == len(files) + 2
    assert name in evaluation.EVALUATIONS
