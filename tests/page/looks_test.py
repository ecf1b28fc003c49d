"""How the page looks, and what it is to those who do not look: contrast, names, keyboard targets;
phone to desktop, light and dark. Keeps screenshots."""

import pathlib

from browser import PageTest, hotline_server

CONTRAST = pathlib.Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")

# What somebody works with, and must hear the name of.
WORKED_WITH = {"button", "textbox", "checkbox", "radio", "spinbutton", "combobox", "link",
               "DisclosureTriangle", "searchbox", "slider"}

SCREENS = {"phone": 360, "tablet": 800, "desktop": 1280}


class Looks(PageTest):
    def setUp(self):
        self.server = self.start()
        self.page = self.browser.open(self.server)

    def stages(self):
        """The page as it goes through a call: gives each stage's name when it is there."""
        page = self.page
        yield "fresh"
        page.connect()
        page.until(lambda: page.is_visible("handshake"), "the handshake")
        for text in ("Hello, operator?", "Grüße, ☎", "Put me through.\n" * 20):
            page.run("""
                const field = document.getElementById('message');
                field.value = arguments[0];
                field.dispatchEvent(new Event('input'));""", text)
            page.click("send")
        page.until_messages(6)
        for size in (64, 4096, 300_000):
            page.run("""
                const dataTransfer = new DataTransfer();
                const bytes = new Uint8Array(arguments[0]).map((_, at) => at * 7);
                dataTransfer.items.add(new File([bytes], `call-${arguments[0]}.bin`));
                dispatchEvent(new DragEvent('drop', {dataTransfer, cancelable: true}));""", size)
        page.until_messages(12)
        for _ in range(20):
            page.click("ping")
        page.until(lambda: page.run("return document.querySelectorAll('#chart circle').length")
                   == 26, "the chart")
        page.run("document.activeElement.blur()")
        yield "talking"
        page.fill("code", "77")
        page.click("close")
        yield "complaining"
        page.fill("code", "1000")
        self.server.stop()
        page.until_state("waiting")
        page.run("for (const each of document.querySelectorAll('details')) each.open = true")
        yield "dropped"

    def test_it_fits_all_screens_and_every_text_stands_out(self):
        for stage in self.stages():
            for screen, width in SCREENS.items():
                for dark in (False, True):
                    self.page.screen(width, dark=dark, still=True)
                    name = f"{stage}-{screen}-{'dark' if dark else 'light'}"
                    with self.subTest(name):
                        self.page.keep_screenshot(name)
                        self.assertLessEqual(
                            self.page.run("return document.documentElement.scrollWidth"), width)
                        self.assertEqual(self.page.run(CONTRAST), [])

    def test_a_text_that_does_not_stand_out_would_be_found(self):
        self.page.run("document.querySelector('.top p').style.color = '#998f86'")
        self.assertIn("Pick up", str(self.page.run(CONTRAST)))

    def accessible(self):
        """The nodes of the accessibility tree that a screen reader meets: (role, name, level)."""
        self.page.cdp("Accessibility.enable")
        nodes = self.page.cdp("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""),
                 next((each["value"]["value"] for each in node.get("properties", [])
                       if each["name"] == "level"), None))
                for node in nodes if not node["ignored"]]

    def test_a_screen_reader_finds_its_way(self):
        for stage in self.stages():
            with self.subTest(stage):
                nodes = self.accessible()
                roles = [role for role, _, _ in nodes]
                for role, name, _ in nodes:
                    if role in WORKED_WITH:
                        self.assertTrue(name.strip(), f"a {role} has no name")
                for landmark in ("banner", "main", "contentinfo"):
                    self.assertEqual(roles.count(landmark), 1, landmark)
                for region in ("Connection", "Send", "Messages", "Round trips", "Close",
                               "Handshake", "Messages, newest first"):
                    self.assertIn(("region", region, None), nodes)
                self.assertGreaterEqual(roles.count("status"), 1)
                levels = [level for role, _, level in nodes if role == "heading"]
                self.assertEqual(levels[0], 1)
                for before, level in zip(levels, levels[1:]):
                    self.assertTrue(2 <= level <= before + 1, levels)
                pictures = [name for role, name, _ in nodes if role in ("image", "img")]
                self.assertTrue(any(name.startswith("Chart of") for name in pictures), pictures)
        self.assertEqual(self.page.run("return document.documentElement.lang"), "en")
        ids = self.page.run("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
        self.assertEqual(len(ids), len(set(ids)))

    def test_all_that_is_pressed_is_large_enough_for_a_finger(self):
        self.page.screen(SCREENS["phone"])
        small = self.page.run("""
            return [...document.querySelectorAll('button, input:not(.unseen), textarea, summary')]
              .map((each) => [each, (each.closest('label') ?? each).getBoundingClientRect()])
              .filter(([, {height, width}]) => width > 0 && Math.min(height, width) < 24)
              .map(([each]) => each.outerHTML)""")
        self.assertEqual(small, [])

    def test_nothing_moves_for_those_who_do_not_want_it(self):
        moving = """
            for (let i = 0; i < 3; ++i) document.getElementById('ping').click();
            return document.getAnimations().length"""
        self.page.connect()
        self.page.screen(1280, still=True)
        self.assertEqual(self.page.run(moving), 0)
        self.page.screen(1280, still=False)
        self.assertGreater(self.page.run(moving), 0)


if __name__ == "__main__":
    hotline_server.main()
