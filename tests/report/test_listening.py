"""The page on runs of audio in a real Chromium: its players, and that they play."""

import json

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install 'nst[test]'")
pytest.importorskip("soundfile", reason="soundfile is not installed: pip install 'nst[test]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # selenium's own sockets
]

SECONDS = 1.5  # of the audio files of the fixture

PLAY = """
const [player, done] = arguments;
player.play().then(
  () => player.addEventListener('timeupdate', () => done([player.duration, player.currentTime]), { once: true }),
  (error) => done(String(error)),
);
"""


def play(page, player):
    """Start a player; return its duration, and its position shortly after."""
    page.driver.set_script_timeout(10)
    return page.driver.execute_async_script(PLAY, player)


def state(page, selector):
    """Return the label of each player, whether its audio is decoded, and whether it plays."""
    player = "e => [e.getAttribute('aria-label'), e.src.startsWith('blob:'), !e.paused]"
    return page.run(f"return [...document.querySelectorAll({json.dumps(selector)})].map({player})")


def test_every_result_and_input_has_a_player(opened, sounds):
    page = opened(sounds)
    page.one(".result")
    assert len(page.all(".result")) == 6
    assert len(page.all(".result + audio[controls][preload=none]")) == 5  # one has not begun
    page.until("return [...document.querySelectorAll('.result img')].every(e => e.naturalWidth === 24)")
    assert len(page.all(".result img")) == 4
    assert page.texts(".grid thead th span") in (["1", "10"], ["bells", "melody"])
    assert [name for name, *_ in state(page, ".inputs audio")] == ["style: rain"]
    assert [name for name, *_ in state(page, ".grid th audio")] == ["content: bells", "content: melody"]
    page.until("return document.querySelector('.grid audio').src.startsWith('blob:')")
    duration, at = play(page, page.one(".result + audio"))
    assert duration == pytest.approx(SECONDS, abs=0.15)  # an MP3 has whole frames
    assert 0 < at < SECONDS


def test_one_plays_at_a_time_and_from_the_same_place(opened, sounds):
    page = opened(sounds)
    page.one(".result + audio")
    page.until("return [...document.querySelectorAll('.grid .result + audio')].every(e => e.src)")
    first, second = page.all(".result + audio")[:2]
    play(page, first)
    page.run("arguments[0].currentTime = 1", first)
    _, at = play(page, second)
    assert page.run("return arguments[0].paused", first)
    assert at >= 1


def test_shorter_audio_starts_from_its_beginning(opened, make, sounds):
    for path in sounds.glob("trials/*/style.wav"):
        make.tone(path, 300, seconds=0.6)
    page = opened(sounds)
    page.click(".result")
    page.until("return [...document.querySelectorAll('.players audio')].every(e => e.src)")
    result, _, style = page.all(".players audio")
    play(page, result)
    page.run("arguments[0].currentTime = 1", result)
    duration, at = play(page, style)
    assert 0 < at < duration < 0.8
    page.run("window.kept = arguments[0]; document.querySelector('dialog').close()", style)
    page.until("return window.kept.paused")


def test_a_result_has_players_of_its_content_and_style(opened, sounds):
    page = opened(sounds)
    page.click(".result")
    names = ["style_weight=1,content=bells,seed=0", "style_weight=1,content=melody,seed=0"]
    assert [name for name, *_ in state(page, ".players audio")] == [
        f"result: {names[0]}",
        "content: bells",
        "style: rain",
    ]
    page.until("return [...document.querySelectorAll('.players audio')].every(e => e.src)")
    lengths = [play(page, player)[0] for player in page.all(".players audio")]
    assert lengths == [pytest.approx(SECONDS, abs=0.15)] * 3
    assert [playing for *_, playing in state(page, ".players audio")] == [False, False, True]
    assert page.texts("dialog .links a") == [
        "full audio",
        "full content",
        "full style",
        "content, styles and result",
        "spectrogram",
    ]
    page.choose(".compare select", "1")
    assert [name for name, *_ in state(page, ".players audio")][:2] == [
        f"left: {names[0]}",
        f"right: {names[1]}",
    ]
    page.run("document.querySelector('dialog').close()")
    page.until("return document.querySelectorAll('.players').length === 0")


def test_audio_out_of_view_is_released_unless_it_was_played(opened, sounds):
    page = opened(sounds, 390, 400)
    page.one(".grid td audio")
    page.until("return [...document.querySelectorAll('.grid td audio')].slice(0, 2).every(e => e.src)")
    player = page.one(".grid td audio")
    play(page, player)
    page.run("arguments[0].pause()", player)
    page.see("settings")
    page.until("return ![...document.querySelectorAll('.grid td audio')].slice(1).some(e => e.src)")
    assert page.run("return arguments[0].src", player).startswith("blob:")


def test_a_run_under_way_plays_its_latest_audio(opened, sounds):
    page = opened(sounds)
    page.one(".result .begun")
    page.run("[...document.querySelectorAll('.result')].find(e => e.querySelector('.begun')).click()")
    assert page.texts("dialog .links a")[0] == "audio so far"
    page.until("return [...document.querySelectorAll('.players audio')].every(e => e.src)")
    assert play(page, page.one(".players audio"))[0] == pytest.approx(SECONDS, abs=0.15)
    page.choose(".compare select", "0")  # without an image they are compared by ear
    assert [name.split(":")[0] for name, *_ in state(page, ".players audio")][:2] == ["left", "right"]
    assert page.texts(".sides span")[1] == "style_weight=1,content=bells,seed=0"
    assert page.all(".frame input") == []


def test_the_other_parts_are_there(opened, sounds):
    page = opened(sounds)
    page.see("curves")
    page.until("return document.querySelectorAll('.curve').length === 5")
    page.see("tradeoff")
    page.until("return document.querySelectorAll('.dot').length === 4")
    assert {"content_lsd (content)", "style_texture (style)"} <= set(page.texts("#tradeoff .title"))
    assert len(page.all(".baseline")) == 2
    page.see("table")
    page.one(".numbers")
    assert page.texts(".numbers thead th")[1:4] == ["style weight", "n", "style_texture"]
    assert page.texts(".numbers tfoot th") == ["content itself", "style itself"]


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_is_wider_than_the_screen(opened, sounds, width):
    page = opened(sounds, width)
    page.one(".result")
    assert page.run("return document.documentElement.scrollWidth") <= width
    page.click(".result")
    page.choose(".compare select", "1")
    assert page.run("return document.querySelector('dialog').scrollWidth") <= width


def test_names_of_audio_files_do_not_run(opened, make, tmp_path):
    strange = '"><audio src=x onerror=window.hit=1 autoplay><script>window.hit=1</script>'
    for number, name in enumerate((strange, "bells")):
        make.audio_run(tmp_path / "runs" / f"r{number}", {"audio.content": name, "audio.style": strange})
    page = opened(tmp_path / "runs")
    page.click(".result")
    page.choose(".compare select", "1")
    page.until("return [...document.querySelectorAll('.players audio')].every(e => e.src)")
    assert page.run("return window.hit") is None
    assert page.all("audio[src=x], #page script, dialog script") == []


def test_audio_from_elsewhere_is_not_loaded(opened, sounds):
    page = opened(sounds)
    refused = "const a = new Audio('trials/x/audio.wav'); a.onerror = () => (window.refused = true); a.load()"
    page.run(refused)
    page.until("return window.refused")
    messages = [entry["message"] for entry in page.driver.get_log("browser")]
    assert len(messages) == 1
    assert "Content Security Policy" in messages[0]
