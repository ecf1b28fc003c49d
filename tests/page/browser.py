"""A headless Chromium, driven by Selenium, and the page in it."""

import base64
import json
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402

HOW_TO_INSTALL = ("the page's tests need Chromium, its driver and Selenium: apt-get install chromium"
                  " chromium-driver python3-selenium (or scripts/install-packages test)")

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
except ImportError as problem:
    sys.exit(f"{problem}: {HOW_TO_INSTALL}")

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-quic", "--no-first-run", "--no-default-browser-check",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-default-apps", "--disable-extensions", "--window-size=1280,900",
             # A server that listens for everybody answers to any name: one that is not localhost,
             # to which browsers give less.
             "--host-resolver-rules=MAP plain.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]

# Drops a file of so many bytes, none like the next, on the element.
DROP = """
  const [target, name, size] = arguments;
  const bytes = Uint8Array.from({length: size}, (_, at) => (at * 31 + (at >> 8)) & 255);
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    target.dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
  }"""


class Browser:
    """One Chromium with a profile of its own. close() ends it."""

    def __init__(self):
        chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
        if not chromium or not driver:
            sys.exit(HOW_TO_INSTALL)
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in [*ARGUMENTS, f"--user-data-dir={self.profile.name}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.set_script_timeout(hotline_server.PATIENCE)
        self.driver.set_page_load_timeout(hotline_server.PATIENCE)

    def close(self):
        self.driver.quit()
        self.profile.cleanup()

    def open(self, server, host=None):
        return Page(self.driver, f"http://{host or '127.0.0.1'}:{server.port}/")


class Page:
    """The page as somebody meets it who looks, clicks and types."""

    def __init__(self, driver, url):
        self.driver = driver
        driver.get("about:blank")  # the page before may be calling its server, in vain
        self.complaints()
        self.requests()
        self.screen(1280)
        driver.get(url)
        self.until_state("idle")
        # Drawn when the browser comes to it, which it may do after the test's first question.
        self.until(lambda: self.run("return document.querySelector('#chart svg') !== null"),
                   "the chart's frame")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def element(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        """What is in an element, as the document has it: also where it is not visible."""
        return self.run("return document.getElementById(arguments[0]).textContent", name)

    def is_visible(self, name):
        return self.element(name).is_displayed()

    def click(self, name):
        self.element(name).click()

    def fill(self, name, text):
        """Types into a field, in place of what is there."""
        field = self.element(name)
        field.clear()
        field.send_keys(text)

    def check(self, name, wanted):
        if self.element(name).is_selected() != wanted:
            self.click(name)

    def keys(self, *keys):
        """To whatever has the focus."""
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def chord(self, held, key):
        (ActionChains(self.driver, duration=0).key_down(held).send_keys(key).key_up(held)
         .perform())

    def focused(self):
        return self.run("return document.activeElement.id")

    def until(self, condition, what):
        deadline = time.monotonic() + hotline_server.PATIENCE
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {hotline_server.PATIENCE} s; the page "
                                     f"says {self.text('state')!r}")
            time.sleep(0.02)
        return value

    def state(self):
        return self.run("return document.documentElement.dataset.state ?? 'idle'")

    def until_state(self, *wanted):
        self.until(lambda: self.state() in wanted, f"the state {wanted}")

    def connect(self, url=None):
        if url:
            self.fill("url", url)
        self.click("connect")
        self.until_state("open")
        return self

    def disconnect(self):
        self.click("connect")
        self.until_state("idle")

    def say(self, text):
        self.fill("message", text)
        self.click("send")

    def messages(self):
        """The rows of the list, the oldest first: {direction, kind, size, took, body, more}."""
        return self.run("""
            const text = (row, name) => row.querySelector(name)?.textContent ?? '';
            return [...document.querySelectorAll('#messages > li')].reverse().map((row) => ({
              direction: row.classList.contains('sent') ? 'sent' : 'received', number: row.value,
              kind: text(row, '.message-head .kind'), size: text(row, '.size'),
              took: row.querySelector('.took')?.lastChild.textContent ?? '',
              body: text(row, 'p.body') || text(row, 'summary'), more: text(row, 'pre')}))""")

    def until_messages(self, count):
        self.until(lambda: len(self.messages()) >= count, f"{count} messages")
        return self.messages()

    def ending(self):
        """What stands in the report on the last close."""
        self.until(lambda: self.is_visible("ending"), "the report on the close")
        return {name: self.text(f"ending-{name}")
                for name in ("code", "name", "meaning", "by", "clean", "reason", "lasted")}

    def complaints(self):
        """What the console has complained of since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self):
        """Where requests went since the last call."""
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                urls.append(message["params"]["url"])
        return urls

    def screen(self, width, height=900, dark=False, still=False):
        """What it is shown on."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 500)
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}])

    def keep_screenshot(self, name):
        """In page/ of the build directory: the whole page, not just what fits the screen."""
        directory = pathlib.Path(hotline_server.program()).parent / "page"
        directory.mkdir(exist_ok=True)
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        taken = self.cdp("Page.captureScreenshot", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        (directory / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))


class PageTest(unittest.TestCase):
    """Tests in one browser, which `browser` is, with servers of their own."""

    browser = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if PageTest.browser is None:
            PageTest.browser = Browser()
            unittest.addModuleCleanup(PageTest.browser.close)

    def start(self, *arguments, **options):
        server = hotline_server.Server(*arguments, **options)
        self.addCleanup(server.__exit__)
        return server
