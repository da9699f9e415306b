"""The page in a real Chromium, opened from the disk."""

import json
import shutil

import PIL.Image
import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install 'nst[test]'")
from selenium.webdriver.common.keys import Keys

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # selenium's own sockets
]


def test_it_shows_every_trial_and_its_images(opened, sweep):
    page = opened(sweep)
    assert page.one("h1").text == "style weight × style × seed"
    assert len(page.all(".result")) == 8
    page.until(
        "return [...document.querySelectorAll('.result img')].every(e => e.complete && e.naturalWidth === 24)"
    )
    assert page.texts(".grid thead th span") == ["60", "6000"] or page.texts(".grid tbody th span") == [
        "60",
        "6000",
    ]
    assert "5 done, 1 failed, 1 unfinished, 1 waiting" in page.one(".lead").text
    page.see("curves")
    assert len(page.until("return document.querySelectorAll('.curve').length === 6 && [6]")) == 1
    page.see("tradeoff")
    page.until("return document.querySelectorAll('.dot').length === 5")
    assert len(page.all(".baseline")) == 2
    assert "1 − content_cosine (content)" in page.texts("#tradeoff .title")
    across = page.run("return [...document.querySelectorAll('.dot')].map(e => Number(e.getAttribute('cx')))")
    assert across == sorted(across)  # the less of the content remains, the larger is the distance
    assert page.texts("#failures .error") == ["step 4: the loss is not finite"]


def test_the_grid_is_over_any_two_fields(opened, sweep):
    page = opened(sweep)
    for name, value in (("Rows", "2"), ("Columns", "1")):
        labels = "[...document.querySelectorAll('#results .choice')]"
        script = f"return {labels}.find(e => e.textContent.startsWith(arguments[0])).querySelector('select')"
        select = page.run(script, name)
        page.run(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
            select,
            value,
        )
    assert page.texts(".grid thead th span") == ["strokes", "panes"]
    assert page.texts(".grid tbody th span") == ["0", "1"]
    assert len(page.all(".grid thead th img")) == 2  # styles beside their column
    assert page.texts(".inputs figcaption") == ["contentcoffee"]


def column(page, number):
    return [text.split(" ")[0] for text in page.texts(f".numbers tbody tr > :nth-child({number})")]


def test_the_table_averages_and_sorts(opened, sweep):
    page = opened(sweep)
    page.see("table")
    page.one(".numbers")
    assert page.texts(".numbers thead th")[:4] == ["trials", "style weight", "n", "style_gram"]
    assert (column(page, 2), column(page, 3)) == (["60", "6000"], ["4", "1"])
    assert "±" in page.texts(".numbers tbody td")[2]
    for box in page.all("#table fieldset input:checked"):
        page.run("arguments[0].click()", box)
    assert len(page.all(".numbers tbody tr")) == 8
    for order in ("ascending", "descending"):
        page.click("[data-sort=' content_cosine']")
        assert page.one("[aria-sort]:not([aria-sort=none])").get_attribute("aria-sort") == order
        cells = page.texts(".numbers tbody tr > :nth-child(7)")
        numbers = [float(text.removesuffix(" best")) for text in cells if text != "–"]
        assert numbers == sorted(numbers, reverse=order == "descending")
        assert cells[5:] == ["–"] * 3  # missing values come last
    assert page.run("return document.activeElement.dataset.sort") in (" content_cosine", None)


def marked(page):
    """Return, for each row of the table, whether each of its last three cells is marked."""
    rows = "[...document.querySelectorAll('.numbers tbody tr')].map(row => [...row.cells].slice(-3)"
    return page.run(f"return {rows}.map(cell => cell.querySelector('b') !== null))")


def test_the_best_of_each_metric_is_marked(opened, sweep):
    page = opened(sweep)
    page.see("table")
    bold = page.one(".numbers b")
    assert page.texts(".numbers thead th")[-3:] == ["style_gram", "content_cosine", "ssim"]
    assert marked(page) == [[False, True, True], [True, False, True]]  # ssim is the same in all
    assert int(bold.value_of_css_property("font-weight")) >= 700
    assert page.texts(".numbers td[title=best]") == [
        text for text in page.texts(".numbers tbody td") if " best" in text
    ]
    assert page.one("#table .note:last-child").text.startswith("Bold is the best mean")
    for box in page.all("#table fieldset input:checked"):
        page.run("arguments[0].click()", box)
    assert [row.index(True) for row in marked(page)[:5]] == [1, 2, 2, 2, 0]
    assert marked(page)[5:] == [[False] * 3] * 3  # they are not done
    page.one(".filter input").send_keys("60.0 seed=1")
    page.until("return document.querySelectorAll('.numbers tbody tr').length === 2")
    assert marked(page) == [[False, True, True], [True, False, True]]
    page.one(".filter input").send_keys(" panes")
    page.until("return document.querySelectorAll('.numbers tbody tr').length === 1")
    assert marked(page) == [[False] * 3]
    assert not page.one("#table .note:last-child").is_displayed()


def test_no_term_of_a_loss_is_marked(opened, sweep):
    page = opened(sweep)
    page.see("table")
    page.one(".numbers b")
    page.choose("#table .controls > .choice select", "terms")
    assert page.texts(".numbers thead th")[-1] == "tv"  # the metric tv would be marked
    assert page.all(".numbers b") == []
    assert not page.one("#table .note:last-child").is_displayed()


def test_filters(opened, sweep):
    page = opened(sweep)
    page.one(".filter input").send_keys("strokes 6000")
    page.until("return document.querySelectorAll('.result').length === 2")
    assert page.one(".filter output").text == "2 of 8"
    page.choose(".panel label:nth-child(3) select", "1")  # the second seed
    page.until("return document.querySelectorAll('.result').length === 1")
    page.see("table")
    page.until("return document.querySelectorAll('.numbers tbody tr').length === 1")
    page.one(".filter input").send_keys(" nothing")
    page.see("results")
    page.until("return document.querySelectorAll('.result').length === 0")


def test_a_result_is_enlarged_and_compared_under_a_slider(opened, sweep):
    page = opened(sweep)
    page.click(".result")
    assert page.run("return document.querySelector('dialog').open")
    page.until("return document.querySelector('.frame img').naturalWidth === 24")
    name = page.one("dialog h2").text
    assert name == "style_weight=60.0,style=strokes,seed=0"
    assert "nst run" in page.one("dialog pre").text
    link = page.one("dialog .links a").get_attribute("href")
    assert link == (sweep / "trials" / name / "image.png").as_uri().replace("=", "%3D").replace(",", "%2C")
    page.choose(".compare select", "style")
    slider = page.one(".frame input")
    assert page.one(".frame img + img").value_of_css_property("clip-path") == "inset(0px 0px 0px 50%)"
    slider.send_keys(Keys.ARROW_LEFT * 3)
    assert page.one(".frame img + img").value_of_css_property("clip-path") == "inset(0px 0px 0px 47%)"
    page.run("document.querySelector('dialog').focus()")
    page.one("dialog [aria-label='next result']").click()
    assert page.one("dialog h2").text != name
    page.one("dialog h2").send_keys(Keys.ESCAPE)
    assert not page.run("return document.querySelector('dialog').open")


def test_the_second_result_is_picked_on_the_page(opened, sweep):
    page = opened(sweep)
    page.click(".result")
    first = page.one("dialog h2").text
    page.click(".compare button")
    assert not page.run("return document.querySelector('dialog').open")
    page.run("document.querySelectorAll('.result')[2].click()")
    assert page.one("dialog h2").text == first
    assert page.texts(".sides span")[0] == first
    assert page.texts(".sides span")[1] not in ("", first)
    page.until("return [...document.querySelectorAll('.frame img')].every(e => e.naturalWidth === 24)")


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("what", ["sweep", "hostile"])
def test_nothing_is_wider_than_the_screen(opened, request, what, width):
    page = opened(request.getfixturevalue(what), width)
    for section in ("tradeoff", "curves", "table", "failures", "settings"):
        page.see(section)
    page.until("return document.querySelector('.numbers')")
    assert page.run("return document.documentElement.scrollWidth") <= width
    page.click(".result")
    assert page.run("return document.querySelector('dialog').scrollWidth") <= width


def test_names_paths_and_configs_do_not_run(opened, hostile):
    page = opened(hostile)
    for section in ("tradeoff", "curves", "table", "failures", "settings"):
        page.see(section)
        page.run("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert "<script>" in page.texts(".numbers tbody th")
    for result in page.all(".result"):
        page.run("arguments[0].click()", result)
        for link in page.all("dialog a"):
            assert link.get_attribute("href").startswith(hostile.parent.as_uri())
    page.click(".result")
    page.click(".compare button")
    assert page.run("return window.hit") is None
    assert page.run("return document.scripts.length") == 2 + len(page.all("script[type='text/plain']"))
    assert page.all("#page script, #page img[src='x'], dialog script") == []


def test_markup_that_got_in_would_not_run(opened, sweep):
    page = opened(sweep)
    image = "b.innerHTML = '<img src=data:, onerror=\"window.hit=1\">'"
    page.run(f"const b = document.createElement('b'); {image}; document.body.append(b)")
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.hit=1'; document.body.append(s)"
    )
    assert page.run("return window.hit") is None
    refused = [
        entry for entry in page.driver.get_log("browser") if "Content Security Policy" in entry["message"]
    ]
    assert len(refused) == 2


def test_hundreds_of_equal_failures_are_shown_once(opened, make, tmp_path):
    trials = {f"seed={i}": {"images.seed": i} for i in range(402)}
    make.plan(tmp_path / "bad", trials)
    for i, name in enumerate(trials):
        make.fail(tmp_path / "bad", name, "images.content: nothing of that name" if i else "memory ran out")
    page = opened(tmp_path / "bad", 390)
    page.see("failures")
    assert page.texts("#failures .error") == ["images.content: nothing of that name", "memory ran out"]
    assert page.texts("#failures article > details > summary") == ["401 trials"]
    assert page.run("return document.getElementById('failures').clientHeight") < 800
    page.click("#failures summary")
    assert page.one("#failures li .name").is_displayed()
    assert page.run("return document.getElementById('failures').clientHeight") < 2000
    page.run("document.querySelectorAll('#failures li')[400].querySelector('button').click()")
    assert page.one("dialog h2").text == "seed=401"
    assert page.one("dialog .bar .muted").text == "401 of 401"
    page.one("dialog h2").send_keys(Keys.ESCAPE)
    page.click("#failures li details summary")
    assert page.one("#failures li pre").text == "Traceback …"
    page.click("#failures li details + details summary")
    assert page.one("#failures li code").text.endswith("--config.images.seed=1")


def test_a_few_equal_failures_are_shown_open(opened, make, tmp_path):
    make.plan(tmp_path, trials := {f"seed={i}": {"images.seed": i} for i in range(3)})
    for name in trials:
        make.fail(tmp_path, name, "memory ran out", "")
    page = opened(tmp_path)
    page.see("failures")
    assert [name.text for name in page.all("#failures .name") if name.is_displayed()] == [*trials]
    assert len(page.all("#failures li details")) == 3  # the commands: there are no details


def test_a_single_run(opened, make, tmp_path):
    make.run(tmp_path / "alone", metrics=make.values(1), baselines=make.baselines)
    page = opened(tmp_path / "alone")
    assert page.one("h1").text == "alone"
    assert len(page.all(".result")) == 1
    assert page.all(".filter") == []
    page.see("curves")
    page.until("return document.querySelectorAll('.curve').length === 3")  # the loss and the terms above zero
    assert page.texts(".inputs figcaption") == ["contentcoffee", "stylestrokes"]
    page.click(".result")
    assert page.texts("dialog h3") == ["Metrics", "Loss and its terms", "To repeat it"]
    assert "null" not in page.one("dialog").text  # it varies in no field
    assert page.texts("dialog .links a") == [
        "full image",
        "full content",
        "full style",
        "content, styles and result",
    ]


def test_a_run_of_an_older_version_shows_no_inputs(opened, make, tmp_path):
    make.run(tmp_path / "old")
    for name in ("content", "style"):
        (tmp_path / "old" / f"{name}.png").unlink()
    page = opened(tmp_path / "old")
    page.until("return document.querySelector('.result img').naturalWidth === 24")
    assert page.all(".inputs figure") == []
    page.click(".result")
    assert page.texts(".compare option")[0] == "nothing"
    assert page.all("dialog .beside figure") == []


def test_a_run_under_way_shows_its_inputs(opened, make, tmp_path):
    make.run(tmp_path / "run", done=False)
    page = opened(tmp_path / "run")
    page.until(
        "return [...document.querySelectorAll('.inputs img')].map(e => e.naturalWidth).join() === '24,20'"
    )


def test_a_sweep_that_has_just_begun(opened, make, tmp_path):
    make.plan(tmp_path / "new", {f"seed={i}": {"images.seed": i} for i in range(3)})
    page = opened(tmp_path / "new")
    assert page.texts(".badge") == ["waiting"] * 3
    page.see("tradeoff")
    page.until("return document.body.textContent.includes('No trial has finished yet.')")


def add_styles(folder, colors):
    """Give a run directory two styles and a mask in colors."""
    path = folder / "config.json"
    facts = json.loads(path.read_text())
    names = {"style": "one", "style_2": "two", "content_mask": "parts"}
    facts["inputs"] |= {name: {"path": f"/x/{stem}.png", "sha256": stem} for name, stem in names.items()}
    path.write_text(json.dumps(facts))
    shutil.copy(folder / "style.png", folder / "style_2.png")
    mask = PIL.Image.new("RGB", (24, 16), colors[0])
    mask.paste(colors[1], (0, 0, 12, 16))
    mask.save(folder / "content_mask.png")


def test_all_styles_and_masks_are_shown(opened, make, tmp_path):
    make.run(tmp_path / "run", {"images.style": "/x/one.png,/x/two.png"})
    add_styles(tmp_path / "run", ("red", "blue"))
    page = opened(tmp_path / "run")
    captions = ["contentcoffee", "styleone", "style_2two", "content_maskparts"]
    assert page.texts(".inputs figcaption") == captions
    page.until("return [...document.querySelectorAll('.inputs img')].every(e => e.naturalWidth)")
    draw = (
        "const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true}); "
        "canvas.drawImage(document.querySelectorAll('.inputs img')[3], 0, 0); "
        "return [6, 18].map(x => [...canvas.getImageData(x, 8, 1, 1).data])"
    )
    left, right = page.run(draw)
    assert left[2] > 200 > 50 > left[0]
    assert right[0] > 200 > 50 > right[2]
    page.click(".result")
    assert page.texts("dialog .beside figcaption") == captions
    assert "full style_2" in page.texts("dialog .links a")
    page.choose(".compare select", "content_mask")
    assert page.texts(".sides span")[1] == "content_mask: parts"


def test_a_sweep_over_styles_shows_all_of_them_in_its_header(opened, make, tmp_path):
    trials = {"one": {"images.style": "/x/one.png"}, "two": {"images.style": "/x/one.png,/x/two.png"}}
    make.plan(tmp_path / "sweep", trials)
    for name, overrides in trials.items():
        make.run(tmp_path / "sweep" / "trials" / name, overrides, metrics={"style_gram": 0.5})
    folder = tmp_path / "sweep" / "trials" / "two"
    add_styles(folder, ("red", "blue"))
    (folder / "evaluation.json").write_text(json.dumps({"metrics": {"style_gram.style_1": 0.5}}))
    page = opened(tmp_path / "sweep")
    heads = page.run(
        "return [...document.querySelectorAll('.grid th[scope=col]')].map(e => e.querySelectorAll('img').length)"
    )
    assert heads == [1, 2]
    assert page.texts(".inputs figcaption b") == ["content", "content_mask"]
    page.see("table")
    page.one(".numbers")
    assert page.texts(".numbers thead th")[-2:] == ["style_gram", "style_gram.style_1"]
