"""A headless Chromium that opens reports: fixtures, which conftest.py hands on."""

import json
import shutil

import pytest

from nst import report


@pytest.fixture(scope="session")
def chromium():
    """Start the browser once."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="selenium is not installed: pip install 'nst[test]'"
    )
    driver = shutil.which("chromedriver")
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not (driver and browser):
        pytest.skip("there is no chromium with a chromedriver: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{argument}")
    options.add_argument("--autoplay-policy=no-user-gesture-required")  # scripts start players, not fingers
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()


class Page:
    """An open page."""

    def __init__(self, driver):
        self.driver = driver

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self._wait(lambda _: next(iter(self.all(selector)), None), selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, script):
        return self._wait(lambda _: self.run(script), script)

    def _wait(self, condition, message):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 10).until(condition, message)

    def click(self, selector):
        self.run("arguments[0].click()", self.one(selector))

    def choose(self, selector, value):
        script = "const [s, v] = arguments; s.value = v; s.dispatchEvent(new Event('change'))"
        self.run(script, self.one(selector), value)

    def see(self, section):
        self.run(f"document.getElementById('{section}').scrollIntoView({{behavior: 'instant'}})")

    def texts(self, selector):
        return self.run(
            f"return [...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"
        )

    def requests(self):
        """Return the addresses that were requested, without those of images from the page's own data."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        addresses = [
            e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
        ]
        return [address for address in addresses if not address.startswith(("blob:", "data:"))]


@pytest.fixture
def opened(chromium):
    """Return `opened(folder, width)`, which shows a report; check that it made no requests and met no errors."""
    paths = []

    def opened(folder, width=1280, height=800):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.get("about:blank")
        for log in ("browser", "performance"):
            chromium.get_log(log)
        paths.append(report.write(folder)[0].as_uri())
        chromium.get(paths[-1])
        return Page(chromium)

    yield opened
    assert Page(chromium).requests() == paths
    assert chromium.get_log("browser") == []
