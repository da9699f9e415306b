"""The command line in one process: exit codes, single lines, flags; and a whole run without a network."""

import errno
import gc
import json
import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from absl.flags import FlagValues

from nst import cli, record, runs
from nst.arguments import Parser
from nst.config import FIELDS, Field, base, fields, validate
from nst.config.file import get_config
from nst.errors import InputError, Interrupted, RunError
from nst.features import weights
from nst.flags import parse
from nst.process import prepare, release_free_memory
from nst.runs.follow import checked

ROOT = Path(__file__).parents[1]
GATYS = f"--config={ROOT / 'configs' / 'gatys.py'}"
AUDIO = f"--config={ROOT / 'configs' / 'audio.py'}"


@pytest.fixture
def script(monkeypatch, capsys):
    """`script(function, *arguments)`: exit status, standard output and standard error of a script."""

    def script(function, *arguments):
        monkeypatch.setattr(sys, "argv", ["script.py", *arguments])
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # restored after the test
        prepare.cache_clear()  # as in a new process
        with pytest.raises(SystemExit) as caught:
            cli.main(function, usage="what it does\n\n")
        return caught.value.code, *capsys.readouterr()

    yield script
    gc.unfreeze()  # pytest's other plugins look for referrers, which frozen objects are not found as


@pytest.fixture
def arguments_of_run(monkeypatch, tmp_path):
    """The arguments of `runs.run`, which does not run."""
    arguments_of_run = {}

    def run(config, workdir, **settings):
        validate(config)
        arguments_of_run.update(settings, workdir=workdir, config=dict(fields(config)))
        return [workdir]

    monkeypatch.setattr(runs, "run", run)
    monkeypatch.chdir(tmp_path)
    return arguments_of_run


def raising(error):
    def function(arguments):
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("a.png is empty:\n  fetch it again"), 2, "a.png is empty: fetch it again"),
        (RunError("step 3: loss not finite"), 1, "step 3: loss not finite"),
        (Interrupted(2, "go on with --resume"), 130, "go on with --resume"),
        (Interrupted(15, "go on with --resume"), 143, "go on with --resume"),
        (KeyboardInterrupt(), 130, "stopped"),
        (MemoryError(), 1, "memory ran out: make the images smaller or the audio shorter"),
        (OSError(errno.ENOSPC, "No space left", "a.png"), 1, "[Errno 28] No space left: 'a.png'"),
    ],
)
def test_an_error_is_one_line_and_a_status(script, error, status, line):
    assert script(raising(error)) == (status, "", f"error: {line}\n")


def test_debug_shows_the_traceback_and_is_not_passed_on(script, monkeypatch):
    passed = []
    assert script(passed.append, "a", "--debug", "b") == (0, "", "")
    assert passed == [["a", "b"]]
    monkeypatch.setattr(sys, "argv", ["script.py", "--debug"])
    with pytest.raises(InputError, match="wrong"):
        cli.main(raising(InputError("wrong")), usage="")


def test_an_unexpected_error_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["script.py"])
    with pytest.raises(ZeroDivisionError):
        cli.main(raising(ZeroDivisionError()), usage="")


def test_computations_end_before_a_script_does(script):
    """Otherwise jaxlib's destructors may crash the process, and its exit status is that of SIGSEGV."""
    started = []

    def function(arguments):
        x = jnp.ones((1000, 1000))
        started.append(jax.jit(lambda x: jax.lax.fori_loop(0, 30, lambda _, x: jnp.tanh(x @ x), x))(x))
        assert not started[0].is_ready()
        raise InputError("wrong")

    assert script(function) == (2, "", "error: wrong\n")
    assert started[0].is_ready()


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_printed_and_nothing_is_done(script, flag):
    assert script(raising(AssertionError), "x", flag) == (0, "what it does\n", "")


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "scripts").glob("*.py")))
def test_every_script_says_what_it_does(monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", [f"scripts/{name}.py", "--help"])
    monkeypatch.setattr(cli, "prepare", raising(AssertionError))
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="__main__")
    assert caught.value.code == 0
    assert f"python scripts/{name}.py" in capsys.readouterr().out


def test_a_warning_is_one_line(script):
    def function(arguments):
        with warnings.catch_warnings(action="always"):
            warnings.warn("two\n  lines", UserWarning, stacklevel=1)

    # `catch_warnings` of an outer test framework replaces the function that shows them.
    with warnings.catch_warnings():
        assert script(function) == (0, "", "warning: two lines\n")


def test_every_kind_of_field_is_set(script, arguments_of_run):
    values = {
        "images.content": "a b=ü.png",
        "images.size": 64,
        "features.normalise": True,
        "loss.style_layers": ("relu1_1", "relu3_1"),
        "loss.style_layer_weights": (0.5, 2.0),
        "loss.tv_weight": 0.25,
        "pyramid.scales": (),
    }
    status, out, err = script(cli.run, GATYS, *(f"--config.{name}={value}" for name, value in values.items()))
    assert (status, out, err) == (0, f"{Path('runs/gatys/image.png')}\n", "")
    assert {name: arguments_of_run["config"][name] for name in values} == values


def test_one_name_is_a_tuple_of_one(script, arguments_of_run):
    script(cli.run, GATYS, "--config.loss.style_layers=relu1_1", "--config.loss.style_layer_weights=()")
    assert arguments_of_run["config"]["loss.style_layers"] == ("relu1_1",)


def test_a_field_that_follows_is_set_or_unset(script, arguments_of_run):
    values = {
        "features.weights": "random",
        "loss.content_layers": ("relu2_1",),
        "loss.style_layers": ("relu1_1", "relu2_1"),
        "loss.style_layer_weights": (),
        "optimizer.learning_rate": 0.5,
        "pyramid.scales": (64, 128),
    }
    script(cli.run, GATYS)
    assert {arguments_of_run["config"][name] for name in values} == {None}
    for name, value in values.items():
        script(cli.run, GATYS, f"--config.{name}={value}")
        assert arguments_of_run["config"][name] == value
        assert type(arguments_of_run["config"][name]) is type(value)
        assert {arguments_of_run["config"][other] for other in values if other != name} == {None}
    script(cli.run, GATYS, "--config.pyramid.scales=64", "--config.optimizer.learning_rate=1")
    assert arguments_of_run["config"]["pyramid.scales"] == (64,)
    assert repr(arguments_of_run["config"]["optimizer.learning_rate"]) == "1.0"
    script(cli.run, AUDIO, "--config.audio.method=waveform", "--config.optimizer.name=adam")
    assert arguments_of_run["config"]["optimizer.name"] == "adam"


def test_a_field_added_from_outside_is_a_flag(script, arguments_of_run, monkeypatch):
    field = Field(0.0, "weight of a toy", "number", "not negative")
    monkeypatch.setitem(FIELDS["image"], "loss.toy_weight", field)
    assert script(cli.run, GATYS, "--config.loss.toy_weight=1")[0] == 0
    assert arguments_of_run["config"]["loss.toy_weight"] == 1.0
    assert "toy_weight = -1.0: give a finite" in script(cli.run, GATYS, "--config.loss.toy_weight=-1")[2]
    assert "did you mean loss.toy_weight" in script(cli.run, GATYS, "--config.loss.toy_wieght=1")[2]
    assert "loss.toy_weight=0.0\n      weight of a toy" in script(cli.run, "--help")[1]


@pytest.mark.parametrize(
    ("arguments", "modality"),
    [
        ([], "image"),
        ([GATYS], "image"),
        ([AUDIO], "audio"),
        ([f"{AUDIO}:waveform", "--config.audio.method"], "audio"),
        (["--config", AUDIO.removeprefix("--config=")], "audio"),
        (["--config=absent.py"], "image"),
        (["--config=README.md"], "image"),
        (["--config"], "image"),
    ],
)
@pytest.mark.parametrize("function", [cli.run, cli.sweep])
def test_help_lists_the_fields_of_the_config(script, function, arguments, modality):
    status, out, err = script(function, "--help", *arguments)
    assert (status, err) == (0, "")
    assert out.startswith("what it does\n\nFields of the modality")
    listed = [
        line.split()[0].partition("=")[0] for line in out.splitlines() if line[:3].strip() and line[0] == " "
    ]
    assert listed == [*FIELDS[modality]]


def test_a_variant_is_passed_to_the_config(script, arguments_of_run):
    script(cli.run, f"{GATYS}:paper")
    assert arguments_of_run["config"]["images.init"] == "noise"
    assert arguments_of_run["workdir"] == Path("runs/gatys")


def test_flags_are_passed_on(script, arguments_of_run):
    flags = ("--workdir=-a dir", "--resume", "--output=ü.png", "--max_pixels=123")
    assert script(cli.run, GATYS, *flags)[0] == 0
    del arguments_of_run["config"]
    expected = {"workdir": Path("-a dir"), "resume": True, "output": Path("ü.png"), "limit": 123}
    expected |= {"release": release_free_memory, "force": False}
    assert arguments_of_run == expected


def test_paths_may_begin_with_the_home_folder(script, arguments_of_run, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert script(cli.run, GATYS, "--workdir=~/runs/a", "--output=~/a.png")[0] == 0
    assert arguments_of_run["workdir"] == Path("/home/ada/runs/a")
    assert arguments_of_run["output"] == Path("/home/ada/a.png")
    parser = Parser()
    parser.add_argument("folder", type=Path)
    assert parser.parse_args(["~/runs"]).folder == Path("/home/ada/runs")


@pytest.mark.parametrize(("config", "flag"), [(GATYS, "--max_seconds=9"), (AUDIO, "--max_pixels=9")])
def test_the_limit_of_another_modality_leaves_the_default(script, arguments_of_run, config, flag):
    script(cli.run, config, flag)
    assert (arguments_of_run["limit"], arguments_of_run["resume"], arguments_of_run["output"]) == (
        None,
        False,
        None,
    )


def test_the_limit_of_audio_is_in_seconds(script, arguments_of_run):
    script(cli.run, AUDIO, "--max_seconds=9")
    assert arguments_of_run["limit"] == 9


def test_the_default_directory_is_the_next_free_one(script, arguments_of_run):
    for expected in ("runs/gatys", "runs/gatys-2", "runs/gatys-3"):
        script(cli.run, GATYS)
        assert arguments_of_run["workdir"] == Path(expected)
        arguments_of_run["workdir"].mkdir(parents=True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--config.loss.style_wieght=3"],
            "unknown config field 'loss.style_wieght': did you mean loss.style_w",
        ),
        (["--config.images=3"], "unknown config field 'images': did you mean images.size"),
        (["--config.foo.bar=1"], "unknown config field 'foo.bar': choose from modality, images.content"),
        (["--config.loss.content_weight=[1]"], "loss.content_weight=[1]"),
        (["--config.images.size=(1,2)"], "images.size=(1,2)"),
        (["--config.images.size=256.5"], "images.size=256.5"),
        (["--config.loss.style_weight=1e400"], "config.loss.style_weight = inf: give a finite number"),
        (["--config.images.seed=-1"], "config.images.seed = -1: give a finite number that is not negative"),
        (["--config.pyramid.scales=(64,"], "pyramid.scales=(64,"),
        (["--config.optimizer.learning_rate=fast"], "optimizer.learning_rate=fast"),
        (
            ["--config.modality=audio"],
            "config.features.convolution is a field of image configs, but this is an audio config: give another",
        ),
        (["--config.modality=smell"], "unknown modality 'smell': choose from image, audio, video"),
        (["--config.images.size"], "Missing value for flag --config.images.size"),
        (["--workdir"], "Missing value for flag --workdir"),
        (["--worckdir=x"], "unknown flag --worckdir: give --workdir=VALUE"),
        (["--max_pixels=0"], "--max_pixels=0"),
        (["--resume=maybe", "--workdir=x"], "--resume=maybe"),
        (["--", "stray.png"], "stray argument 'stray.png'"),
    ],
)
def test_a_wrong_flag_is_one_line_that_names_it(script, arguments_of_run, flags, message):
    status, out, err = script(cli.run, GATYS, *flags)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not arguments_of_run
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--config.loss.style_layers=relu1_1,relu2_1", ("relu1_1", "relu2_1")),
        ("--config.loss.style_layers= relu1_1, relu2_1 ,", ("relu1_1", "relu2_1")),
        ("--config.loss.style_layers relu1_1", ("relu1_1",)),
        ("--config.loss.style_layers=", ()),
        ("--config.loss.style_layers=()", ()),
        ("--config.pyramid.scales=64,128", (64, 128)),
        ("--config.pyramid.scales=[64,128]", (64, 128)),
        ("--config.pyramid.scales=", ()),
        ("--config.pyramid.scales=None", None),
        ("--config.loss.style_layer_weights=0.5,.25", (0.5, 0.25)),
    ],
)
def test_values_of_a_tuple_are_separated_by_commas(flag, value):
    config = parse(FlagValues(), base(), re.split(r"(?<=layers) (?=r)", flag))
    name = re.split("[= ]", flag)[0].removeprefix("--config.")
    assert dict(fields(config))[name] == value


@pytest.mark.parametrize(
    ("flag", "advice"),
    [
        ("--content=a.jpg", "--config.images.content=VALUE"),
        ("-content_image=a.jpg", "--config.images.content=VALUE"),
        ("--style-image=a.jpg", "--config.images.style=VALUE"),
        ("--size=300", "--config.images.size=VALUE"),
        ("--image_size=300", "--config.images.size=VALUE"),
        ("--num_iterations=300", "--config.optimizer.steps=VALUE"),
        ("--seed=3", "--config.images.seed=VALUE"),
        ("--content_weight=3", "--config.loss.content_weight=VALUE"),
        ("--lr=3", "--config.optimizer.learning_rate=VALUE"),
        ("--learning-rate=3", "--config.optimizer.learning_rate=VALUE"),
        ("--pooling=max", "--config.features.pooling=VALUE"),
        ("--save_iter=10", "--config.run.save_every=VALUE"),
        ("--output_image=a.png", "--output FILE"),
        ("--gpu=0", "JAX_PLATFORMS"),
        ("--original_colors=1", "--help lists all flags"),
        ("--confgi=configs/gatys.py", "--config=VALUE"),
    ],
)
@pytest.mark.parametrize("config", [[GATYS], []])
def test_flags_of_other_programs_are_answered(script, flag, advice, config):
    status, _, err = script(cli.run, *config, flag)
    name = flag.lstrip("-").partition("=")[0]
    assert status == 2
    assert err.startswith(f"error: unknown flag --{name}: ")
    assert advice in err
    assert err.count("\n") == 1


def test_audio_has_its_own_fields(script):
    assert "give --config.audio.content=VALUE" in script(cli.run, AUDIO, "--content=a.wav")[2]
    assert "is a field of image" in script(cli.run, AUDIO, "--config.images.content=a.png")[2]


def test_a_recorded_config_is_a_config(script, arguments_of_run, tmp_path):
    """A run is repeated by its config.json; fields that follow others follow the new values."""
    folder = tmp_path / "run"
    folder.mkdir()
    config = checked(get_config(ROOT / "configs" / "wasserstein.py"))
    config.images.content = "photos"
    inputs = {"content": {"path": "photos/a.jpg"}, "style": {"path": "strokes.jpg"}}
    record.write_json(folder / "config.json", record.describe(json.loads(config.to_json()), inputs))
    assert script(cli.run, f"--config={folder / 'config.json'}", "--config.images.size=300")[0] == 0
    assert arguments_of_run["workdir"] == Path("runs/run")
    values = arguments_of_run["config"]
    assert (values["images.content"], values["images.size"], values["pyramid.scales"]) == (
        "photos/a.jpg",
        300,
        None,
    )
    assert (values["loss.style_loss"], values["features.pooling"]) == ("wasserstein", "max")
    assert script(cli.run, "--resume", "--workdir", str(folder))[0] == 0
    assert arguments_of_run["workdir"] == folder
    assert arguments_of_run["resume"]
    assert arguments_of_run["config"]["images.size"] == 512


@pytest.mark.parametrize("content", ["{", "[]", '{"config": {"sise": 3}, "inputs": {}}', "{}"])
def test_another_json_is_no_config(script, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(content)
    status, _, err = script(cli.run, "--config=config.json")
    assert status == 2
    assert err.startswith("error: config.json")
    assert err.count("\n") == 1


def test_there_is_a_run_to_resume(script):
    status, _, err = script(cli.run, "--resume", "--workdir=absent")
    assert (status, err.startswith("error: absent: there is no run to resume")) == (2, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def get_config(:\n", "wrong.py, line 1 can't be loaded: SyntaxError: invalid syntax"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("x = 1\n", "wrong.py has no get_config(): add one"),
        (
            "\ndef get_config():\n  raise ValueError('cause')\n",
            "line 3: get_config() fails: ValueError: cause",
        ),
        ("def get_config(): return 3\n", "get_config() returns int: return nst.config.base() with changes"),
        (
            "import ml_collections\nget_config = lambda: ml_collections.ConfigDict({'a': 1})\n",
            "unknown config field 'a'",
        ),
        ("from nst.errors import InputError\ndef get_config(): raise InputError('told')\n", "told"),
        ("from nst.config import base\ndef get_config():\n  base().images.sise = 3\n", "sise"),
    ],
)
def test_a_config_file_that_cannot_be_used_is_one_line(script, arguments_of_run, content, message):
    path = Path("wrong.py")
    path.write_text(content)
    status, out, err = script(cli.run, f"--config={path}")
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not arguments_of_run


OFFLINE = """
import runpy, sys

def refuse(event, arguments):
    network = event in ("socket.__new__", "socket.connect", "socket.getaddrinfo")
    process = event in ("subprocess.Popen", "os.posix_spawn", "os.exec") and arguments[0] != "uname"
    if network or process:
        print("requested:", event, arguments, file=sys.stderr)
        raise OSError("blocked")

sys.addaudithook(refuse)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def offline(tmp_path):
    """`offline(*flags)`: a run in a process that can open no socket and start no other process."""

    def offline(*flags):
        small = {
            "images.size": 32,
            "pyramid.scales": (),
            "optimizer.steps": 1,
            "loss.style_layer_weights": (),
        }
        small |= {"loss.style_layers": "relu1_1", "loss.content_layers": "relu2_1"}
        values = [f"--config.{name}={value}" for name, value in small.items()]
        script = [str(ROOT / "scripts" / "run.py"), GATYS, *values, f"--workdir={tmp_path / 'run'}"]
        command = [sys.executable, "-c", OFFLINE, *script, *flags]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    return offline


def test_without_a_network_a_run_with_cached_weights_works(offline, tmp_path):
    weights.load(weights.DEFAULT)  # into the cache
    result = offline()
    assert result.returncode == 0, result.stderr
    assert "arguments_of_run for" not in result.stderr
    assert (tmp_path / "run" / "done").exists()


def test_without_a_network_an_absent_sample_is_reported(offline, tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    result = offline("--config.images.content=tubingen")
    assert result.returncode == 2
    assert "requested: socket" in result.stderr  # the hook does block
    assert "add it with python scripts/samples.py add FILE" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--gpus=1"], "--gpus is for --executor=ray"),
        (["--address=host:1"], "--address is for --executor=ray"),
        (["--executor=ray", "--workers=2"], "--workers is for --executor=local"),
        (["--executor=slurm"], "executor"),
        (["--batch=0"], "batch"),
        (["--config.loss.style_wieght=1"], "did you mean loss.style_weight"),
    ],
)
def test_a_sweep_refuses_flags_that_do_not_go_together(flags, message, tmp_path):
    arguments = ["--config=configs/ratio.py", f"--workdir={tmp_path / 'sweep'}", *flags]
    with pytest.raises(InputError, match=message) as caught:
        cli.sweep(arguments)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sweep").exists()


def test_a_config_without_a_sweep_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"gatys.py has no sweep\(\)"):
        cli.sweep(["--config=configs/gatys.py", f"--workdir={tmp_path / 'sweep'}"])
