"""The page on runs of video in a real Chromium: clips with one clock, steps of a frame, keys, posters."""

import json

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install 'nst[test]'")
pytest.importorskip("av", reason="av is not installed: pip install 'nst[video]'")
from selenium.webdriver.common.keys import Keys

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # selenium's own sockets
]

FRAMES = 10

#: The level of gray in the middle of each video, from which the number of the frame is read.
LEVELS = """
return [...document.querySelectorAll(arguments[0] + ' video')].map((film) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  const context = canvas.getContext('2d');
  context.drawImage(film, 0, 0);
  return context.getImageData(film.videoWidth / 2, film.videoHeight - 4, 1, 1).data[0];
});
"""


@pytest.fixture
def alone(opened, make, tmp_path):
    make.video_run(tmp_path / "run")
    page = opened(tmp_path / "run")
    if not page.run(
        "return document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.64001f\"')"
    ):
        pytest.skip("this Chromium can't decode H.264")
    page.until("return [...document.querySelectorAll('.films video')].every(e => e.readyState >= 2)")
    return page


def numbers(page, selector="#page"):
    """Return the numbers of the frames that the videos show, by their pixels: content and result."""
    page.until(
        f"return [...document.querySelectorAll('{selector} video')].every(e => !e.seeking && e.readyState >= 2)"
    )
    content, result = page.run(LEVELS, selector)
    return round((content - 20) / 10), round((result - 60) / 10)


def test_content_and_result_are_side_by_side(alone):
    assert alone.texts(".films figcaption b") == ["content", "result"]
    assert alone.texts(".inputs figcaption") == ["contentpan", "stylestrokes"]
    assert numbers(alone) == (0, 0)
    assert alone.texts(".clock output") == ["0.00 s, frame 1 of 10"]
    assert alone.one(".alone figure > img").get_attribute("alt").startswith("frames of the content")
    left, right = (film.rect for film in alone.all(".films video"))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]


def test_both_step_by_a_frame_by_buttons_keys_and_slider(alone):
    forward, back = (alone.one(f"[aria-label='{name} frame']") for name in ("next", "previous"))
    for _ in range(3):
        forward.click()
    assert numbers(alone) == (3, 3)
    back.click()
    assert numbers(alone) == (2, 2)
    assert alone.texts(".clock output") == ["0.20 s, frame 3 of 10"]
    slider = alone.one(".clock input[type=range]")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert numbers(alone) == (3, 3)
    slider.send_keys(Keys.END)
    assert numbers(alone) == (9, 9)
    forward.click()  # there is no further frame
    assert numbers(alone) == (9, 9)
    back.send_keys(Keys.HOME)
    assert numbers(alone) == (0, 0)
    back.send_keys(Keys.ARROW_LEFT)
    assert numbers(alone) == (0, 0)
    alone.run("arguments[0].value = 6; arguments[0].dispatchEvent(new Event('input'))", slider)
    assert numbers(alone) == (6, 6)
    assert slider.get_attribute("aria-valuetext") == "frame 7 of 10"


def test_both_play_and_pause_together_and_one_that_runs_away_is_put_back(alone):
    play = alone.one(".clock [aria-label=play]")
    play.send_keys(Keys.ENTER)
    alone.until(
        "return [...document.querySelectorAll('.films video')].every(e => !e.paused && e.currentTime > 0.1)"
    )
    assert play.get_attribute("aria-label") == "pause"
    alone.run(
        "document.querySelector('.films video').pause(); document.querySelector('.films video').currentTime = 0.9"
    )
    alone.until(
        "const [a, b] = document.querySelectorAll('.films video');"
        "return !a.paused && Math.abs(a.currentTime - b.currentTime) < 0.15"
    )
    alone.one(".clock input[type=range]").send_keys(" ")
    assert alone.run("return [...document.querySelectorAll('.films video')].every(e => e.paused)")
    content, result = numbers(alone)
    assert content == result
    assert play.get_attribute("aria-label") == "play"


def test_it_repeats_only_if_asked_and_only_the_result_is_heard(alone):
    muted = "return [...document.querySelectorAll('.films video')].map(e => e.muted)"
    assert alone.run(muted) == [True, True]
    repeat, sound = alone.all(".clock [type=checkbox]")
    sound.click()
    assert alone.run(muted) == [True, False]
    script = (
        "window.ends = 0; document.querySelectorAll('.films video')[1].onended = () => (window.ends += 1)"
    )
    alone.run(script)
    alone.click(".clock [aria-label=play]")
    alone.until("return window.ends === 2")
    repeat.click()
    alone.until("return document.querySelectorAll('.films video')[1].paused")
    assert numbers(alone) == (9, 9)


def test_a_sweep_has_posters_which_open_as_video(opened, videos):
    page = opened(videos)
    page.until("return [...document.querySelectorAll('.result img')].every(e => e.naturalWidth === 24)")
    assert len(page.all(".result img")) == 4
    assert page.all("video") == []
    assert page.texts(".badge.film") == ["▶ 1 s"] * 3
    assert page.texts(".grid thead th span") in (["0", "200"], ["strokes", "panes"])
    assert len(page.all(".grid th img")) == 2  # the styles
    page.click(".result")
    page.until("return [...document.querySelectorAll('dialog video')].length === 2")
    assert page.texts("dialog .films b") == ["content", "result"]
    assert page.texts(".compare option")[:2] == ["content", "style"]
    page.one("dialog .clock [aria-label='next frame']").send_keys(Keys.ARROW_RIGHT)
    assert numbers(page, "dialog") == (1, 1)
    expected = ["full video", "full content", "full style", "frames of content and result", "first frame"]
    assert page.texts("dialog .links a") == expected
    page.choose(".compare select", "2")
    assert page.texts("dialog .films b") == ["left", "right"]
    assert len(page.all("dialog .films video")) == 2
    page.choose(".compare select", "style")
    assert page.texts("dialog .films b") == ["style", "result"]
    assert len(page.all("dialog .films video")) == len(page.all("dialog .films img")) == 1
    page.one("dialog h2").send_keys(Keys.ESCAPE)
    page.until("return document.querySelectorAll('video').length === 0")


def test_motion_is_between_content_and_result(opened, make, tmp_path):
    make.video_run(tmp_path / "run", flow=True)
    page = opened(tmp_path / "run")
    page.until("return [...document.querySelectorAll('.films video')].every(e => e.readyState >= 2)")
    assert page.texts(".films figcaption b") == ["content", "motion", "result"]
    page.one(".clock [aria-label='next frame']").send_keys(Keys.ARROW_RIGHT)
    page.until("return [...document.querySelectorAll('.films video')].every(e => !e.seeking)")
    content, motion, result = page.run(LEVELS, "#page")
    assert [round((level - start) / 10) for level, start in ((content, 20), (motion, 0), (result, 60))] == [
        1
    ] * 3
    page.click(".alone > button")
    page.one("dialog .films")
    assert "motion" in page.texts("dialog .links a")


def test_values_of_frames_follow_the_clock(opened, make, tmp_path):
    metrics = {"metrics": {"warping": 0.01}, "baselines": {"content": {}, "style": {}}}
    make.video_run(tmp_path / "run", **metrics)
    page = opened(tmp_path / "run")
    page.until("return document.querySelectorAll('.by-frame path').length === 2")
    paths = page.run("return [...document.querySelectorAll('.by-frame path')].map(e => e.getAttribute('d'))")
    assert [(d.count("M"), d.count("L")) for d in paths] == [(2, 6)] * 2  # each scene has its own line
    assert page.texts(".by-frame output") == ["result –, content –"]
    page.one(".clock [aria-label='next frame']").send_keys(Keys.ARROW_RIGHT)
    assert page.texts(".by-frame output") == ["result 0.004, content 0.002"]
    page.choose(".by-frame select", "brightness")
    assert page.texts(".by-frame output") == ["result 0.15, content 0.05"]
    ends = "return document.querySelector('.by-frame svg').getBoundingClientRect()"
    x = page.run(ends)["x"] + page.run(
        "return Number(document.querySelector('.by-frame .mark').getAttribute('x1'))"
    )
    event = "new MouseEvent('click', {clientX: arguments[0], clientY: 0, bubbles: true})"
    page.run(f"document.querySelector('.by-frame svg').dispatchEvent({event})", x + 2000)
    assert page.texts(".clock output") == ["0.90 s, frame 10 of 10"]


def test_the_table_has_metrics_over_time(opened, videos):
    page = opened(videos)
    page.see("table")
    page.one(".numbers")
    assert page.texts(".numbers thead th")[-4:] == ["warping", "tof", "style_gram", "ssim"]


def test_a_clip_that_can_not_be_decoded_is_replaced_by_a_line(opened, make, tmp_path, monkeypatch):
    make.video_run(tmp_path / "run")
    from nst.report import video

    broken = video.Excerpt(1.0, 10.0, "AAAA")
    monkeypatch.setattr(video, "excerpts", lambda paths: ([broken] * len(paths), None))
    page = opened(tmp_path / "run")
    page.until("return document.querySelectorAll('.films .empty').length === 2")
    assert "can't play" in page.texts(".films .empty")[0]


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("what", ["run", "sweep"])
def test_nothing_is_wider_than_the_screen(opened, make, videos, tmp_path, what, width):
    make.video_run(tmp_path / "run")
    page = opened(tmp_path / "run" if what == "run" else videos, width)
    page.one(".result, .films")
    assert page.run("return document.documentElement.scrollWidth") <= width
    page.click(".result, .alone > button")
    page.one("dialog .films")
    assert page.run("return document.querySelector('dialog').scrollWidth") <= width


def test_names_do_not_run(opened, make, tmp_path):
    strange = '"><video src=x onerror=window.hit=1 autoplay><script>window.hit=1</script>'
    for number in range(2):
        make.video_run(tmp_path / "runs" / f"r{number}", {"video.content": strange, "images.style": strange})
    page = opened(tmp_path / "runs")
    page.click(".result")
    page.choose(".compare select", "1")
    assert page.run("return window.hit") is None
    assert page.all("video[src=x], #page script, dialog script") == []
    assert json.loads(page.run("return document.getElementById('data').textContent"))["trials"]
