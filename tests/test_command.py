"""The command `nst`: its commands, and its configs from any folder."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from nst import cli, command
from nst.config.file import get_config, locate
from nst.errors import InputError

ROOT = Path(__file__).parents[1]


def printed(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["nst", *arguments])
    with pytest.raises(SystemExit) as caught:
        command.main()
    return caught.value.code, *capsys.readouterr()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_lists_the_commands(monkeypatch, capsys, arguments):
    status, out, err = printed(monkeypatch, capsys, *arguments)
    assert (status, err) == (0, "")
    assert all(f"  nst {name} " in out for name in command.COMMANDS)


def test_the_version_is_that_of_the_package(monkeypatch, capsys):
    assert printed(monkeypatch, capsys, "--version") == (0, f"{version('nst')}\n", "")


def test_an_unknown_command_is_one_line(monkeypatch, capsys):
    status, out, err = printed(monkeypatch, capsys, "stylise")
    assert (status, out) == (2, "")
    assert err.startswith("error: unknown command 'stylise': ")


@pytest.mark.parametrize("name", command.COMMANDS)
def test_every_command_has_a_script_and_a_help(monkeypatch, capsys, name):
    assert (ROOT / "scripts" / f"{name}.py").is_file()
    monkeypatch.setattr(cli, "prepare", lambda *_: None)
    status, out, err = printed(monkeypatch, capsys, name, "--help")
    assert (status, err) == (0, "")
    assert f"nst {name} " in out
    assert "scripts/" not in out


@pytest.mark.parametrize(
    "name", ["gatys", "gatys.py", "configs/gatys.py", "configs/gatys", "presets/strotss"]
)
def test_own_configs_are_found_from_any_folder(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    assert get_config(locate(name)).images.size == 512
    own = tmp_path / "configs" / "gatys.py"
    own.parent.mkdir()
    own.write_text("")
    assert locate("configs/gatys.py") == Path("configs/gatys.py")


def test_a_config_that_is_not_there_has_suggestions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^gatis: no such file: did you mean gatys or ratio\?$"):
        get_config(locate("gatis"))
    with pytest.raises(
        InputError, match=r"^nowhere.py: no such file: give .*, or one of audio, .*wasserstein"
    ):
        get_config(locate("nowhere.py"))


@pytest.mark.slow
def test_messages_name_the_command_as_it_was_called(tmp_path):
    arguments = ["weights", "fetch"]
    for call, expected in (
        ([sys.executable, "-m", "nst", *arguments], "see nst weights"),
        ([sys.executable, str(ROOT / "scripts" / "weights.py"), "fetch"], "see python scripts/weights.py"),
    ):
        result = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
        assert result.returncode == 2
        assert expected in result.stderr
