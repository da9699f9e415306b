"""The live page in a real Chromium, with runs that go on, end, fail and are killed under it."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from nst import holder, record
from nst.live import server
from tests.live.conftest import events, eventually, log, serving, write_plan, write_run
from tests.report.browser import Page
from tests.report.conftest import HOSTILE, picture, write_failure

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # selenium's own sockets
]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def opened(chromium):
    """Return `opened(folder, width)`, which serves a folder and shows the page; check that it met no errors."""
    with ExitStack() as stack:

        def opened(folder, width=1280):
            metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
            chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            chromium.get("about:blank")
            chromium.get_log("browser")
            chromium.get(stack.enter_context(serving(folder)).address)
            return Page(chromium)

        yield opened
        errors = chromium.get_log("browser")
        chromium.get("about:blank")  # before the server ends
    assert errors == []


def test_image_and_curve_appear_as_they_are_written(opened, runs):
    folder = runs / "second"
    (folder / record.HOLDER).write_text(holder.own())
    page = opened(folder)
    page.until("return document.querySelector('.shown img')?.naturalWidth === 24")
    before = page.run("return document.querySelector('.plot path').getAttribute('d')")
    picture(folder / "frames" / "000030.png", 9, (30, 20))
    log(folder, 30, loss=5.0)
    began = time.monotonic()
    page.until("return document.querySelector('.shown img')?.naturalWidth === 30")
    page.until(f"return document.querySelector('.plot path').getAttribute('d') !== {json.dumps(before)}")
    assert time.monotonic() - began < 6  # two on a machine that does nothing else
    assert page.texts(".clock output") == ["step 30, the latest"]
    assert page.one("main > section p").text.startswith("running · step 30 of ")
    slider = (
        "const s = document.querySelector('.clock input'); s.value = 0; s.dispatchEvent(new Event('input'))"
    )
    page.run(slider)
    page.until("return document.querySelector('.shown img').naturalWidth === 24")
    picture(folder / "frames" / "000040.png", 9, (36, 20))
    log(folder, 40)
    page.until("return document.querySelector('.clock input').max === '2'")
    assert page.run("return document.querySelector('.shown img').naturalWidth") == 24  # it stays where it is
    picture(folder / "image.png", 3, (42, 20))
    (folder / "done").touch()
    page.until("return document.querySelector('main > section p').textContent.startsWith('done')")


def test_a_sweep_fills_with_failures_and_a_filter(opened, tmp_path):
    names = [f"w={number}" for number in range(6)]
    write_plan(tmp_path, {name: {} for name in names})
    page = opened(tmp_path)
    page.until("return document.querySelectorAll('.card').length === 6")
    assert page.texts(".lead")[0].endswith(": 6 waiting · Report")
    write_run(tmp_path / "trials" / names[0], number=1)
    write_failure(tmp_path, names[1], "memory ran out: take a smaller size")
    page.until("return document.querySelectorAll('.badge.done').length === 1")
    page.until("return document.querySelector('#failures').textContent.includes('memory ran out')")
    assert page.texts(".lead")[0].endswith(": 1 done, 1 failed, 4 waiting · Report")
    page.one("input[type=search]").send_keys("w=3")
    page.until("return [...document.querySelectorAll('.card')].filter(e => !e.hidden).length === 1")
    page.click(".card")
    page.until("return document.querySelector('.shown img')?.naturalWidth === 24")
    assert page.texts("main > section h2")[0] == names[0]
    shutil.rmtree(tmp_path / "trials" / names[0])
    page.until("return document.querySelectorAll('.badge.waiting').length === 5")


def test_runs_that_come_later_are_found(opened, tmp_path):
    page = opened(tmp_path)
    page.until("return document.querySelector('.lead').textContent.endsWith('no run yet')")
    write_run(tmp_path / "one", done=False)
    page.until("return document.querySelector('.shown img')?.naturalWidth === 24")
    write_run(tmp_path / "two")
    page.until("return document.querySelectorAll('.card').length === 2")


def test_a_real_run_that_is_killed_and_resumed(opened, tmp_path):
    command = [sys.executable, str(ROOT / "scripts/run.py"), "--config", str(ROOT / "configs/gatys.py")]
    command += ["--config.images.size=48", "--config.features.weights=random", "--config.run.frame_every=5"]
    command += [
        "--config.optimizer.steps=100000",
        "--config.run.save_every=20",
        f"--workdir={tmp_path / 'run'}",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    status = "return document.querySelector('main > section p')?.textContent ?? ''"
    page = opened(tmp_path)
    process = subprocess.Popen(command, **quiet)
    try:
        assert eventually(lambda: " · loss " in page.run(status), 120)
        page.until("return document.querySelector('.shown img')?.naturalWidth > 0")
        process.kill()
        process.wait()
        page.until(status.replace("return ", "return (").replace(" ?? ''", " ?? '').startsWith('stopped')"))
        process = subprocess.Popen([*command, "--resume"], **quiet)
        assert eventually(lambda: page.run(status).startswith("running · step "), 120)
    finally:
        process.kill()
        process.wait()


CONFIG = """
from nst.config import base

def get_config():
    config = base()
    config.images.size, config.features.weights, config.optimizer.steps = 32, "random", 150
    config.features.normalise, config.pyramid.scales = "none", ()
    return config

def sweep():
    yield from ({"images.seed": seed} for seed in range(4))
"""


def test_a_sweep_by_two_workers(opened, tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    folder = tmp_path / "sweep"
    folder.mkdir()
    command = [sys.executable, str(ROOT / "scripts/sweep.py"), "--config", str(tmp_path / "config.py")]
    page = opened(folder)
    with open(tmp_path / "log", "w") as log:
        workers = [
            subprocess.Popen([*command, f"--workdir={folder}"], stdout=log, stderr=log) for _ in range(2)
        ]
    seen = set()
    try:
        while any(worker.poll() is None for worker in workers):
            seen |= {text for text in page.texts(".card .muted") if "by process" in text}
            time.sleep(0.3)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    page.until("return document.querySelectorAll('.badge.done').length === 4")
    processes = {text.partition("by process ")[2].split()[0] for text in seen}
    assert len(processes) == 2, (tmp_path / "log").read_text()


def test_names_do_not_run(opened, tmp_path):
    write_run(tmp_path / "runs" / HOSTILE[:60].replace("/", ""), {"images.style": HOSTILE})
    write_run(tmp_path / "runs" / "other", {"images.style": HOSTILE}, done=False)
    page = opened(tmp_path / "runs")
    page.until("return document.querySelectorAll('.card').length === 2")
    page.until("return [...document.querySelectorAll('.card img')].every(e => e.naturalWidth > 0)")
    for number in (0, 1):
        page.run(f"document.querySelectorAll('.card')[{number}].click()")
        page.until("return document.querySelector('.shown img')?.naturalWidth > 0")
    assert page.run("return window.hit") is None


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_is_wider_than_the_screen(opened, runs, width):
    page = opened(runs, width)
    page.click(".card")
    page.until("return document.querySelector('.shown img')?.naturalWidth > 0")
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_many_viewers_come_and_go(runs, monkeypatch):
    monkeypatch.setattr(server, "_HEARTBEAT", 0.1)
    with serving(runs) as served:
        for _ in range(10):
            with httpx.Client(limits=httpx.Limits(max_connections=None)) as client:
                viewers = [events(served.address, client) for _ in range(20)]
                for viewer in viewers:
                    next(viewer)
                for viewer in viewers:
                    viewer.close()
        assert eventually(lambda: served.watch.listeners == 0)
