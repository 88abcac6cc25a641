"""The console as a person meets it, in a real Chromium."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import quote

import pytest

from tests.console.conftest import HOSTILE_KEY, Site, training

Tab = Callable[..., Any]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_every_page_fits_the_screen_and_asks_nobody_else(
    site: Site, tab: Tab, width: int, scheme: str
) -> None:
    page = tab(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in site.pages():
        page.goto(site.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() == 1
    assert page.said == []
    assert {url.split("/")[2] for url in page.asked if url.startswith("http")} == {
        site.lab.url.removeprefix("http://")
    }


def test_colours_have_contrast_in_light_and_dark(site: Site, tab: Tab) -> None:
    for scheme in ("light", "dark"):
        page = tab(color_scheme=scheme)
        page.goto(f"{site.address}training")
        for selector in ("td a", ".status", "th", "h1"):
            assert contrast(page, selector) >= 4.5, (scheme, selector)


def contrast(page: Any, selector: str) -> float:
    ink, paper = page.evaluate(
        """selector => {
          const element = document.querySelector(selector);
          let behind = element;
          while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
          return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
        }""",
        selector,
    )
    lighter, darker = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def with_a_line_above_the_log(route: Any) -> None:
    answer = route.fetch()
    route.fulfill(
        response=answer, body=answer.text().replace('<ol class="log"', '<p>a line above</p><ol class="log"')
    )


def test_a_job_is_followed_to_its_end_without_a_reload(site: Site, tab: Tab) -> None:
    name, sagemaker = site.lab.name("live"), site.lab.client("sagemaker")
    sagemaker.create_training_job(**training(site.lab, name, num_round="1000000"))
    page = tab()
    page.goto(f"{site.address}training/{name}")
    page.evaluate("window.stayed = true")
    page.locator(".log li", has_text="#011train-auc:").first.wait_for()
    page.locator("#curves svg").first.wait_for()
    page.locator("#log .log").focus()
    page.route(page.url, with_a_line_above_the_log)
    page.locator("#log", has_text="a line above").wait_for()
    sagemaker.stop_training_job(TrainingJobName=name)
    page.locator("#facts .s-Stopped").wait_for()
    assert page.evaluate("window.stayed")
    assert page.evaluate("document.activeElement.className") == "log"
    assert page.said == []


def test_updates_pause_on_demand(site: Site, tab: Tab) -> None:
    page = tab()
    page.goto(f"{site.address}calls")
    page.get_by_role("button", name="Pause updates").click()
    page.get_by_role("button", name="Go on updating", pressed=True).wait_for()
    page.wait_for_timeout(300)  # what was on its way has arrived
    before = len(page.asked)
    page.wait_for_timeout(4500)
    assert len(page.asked) == before


def test_the_keyboard_reaches_the_content_first_and_everything_after(site: Site, tab: Tab) -> None:
    page = tab()
    page.goto(f"{site.address}training")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type(site.trained)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=site.trained).click()
    page.get_by_role("heading", name=site.trained, level=1).wait_for()


def test_a_screen_reader_finds_landmarks_names_and_summaries(site: Site, tab: Tab) -> None:
    page = tab()
    page.goto(f"{site.address}training/{site.trained}")
    assert page.get_by_role("navigation", name="Console").count() == 1
    assert page.get_by_role("link", name="Training", exact=True).get_attribute("aria-current") == "page"
    assert page.get_by_role("img", name="auc. train").count() == 1
    assert page.get_by_role("log", name="Log lines").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"


def test_what_students_wrote_does_not_run(site: Site, tab: Tab) -> None:
    page = tab()
    for path in (f"s3/{site.lab.bucket}?prefix=evil/", f"s3/{site.lab.bucket}?key={quote(HOSTILE_KEY)}"):
        page.goto(site.address + path)
        page.wait_for_timeout(200)
        assert page.title() != "owned"
        assert page.locator("main img, main script").count() == 0


def test_a_script_that_got_in_all_the_same_is_stopped(site: Site, tab: Tab) -> None:
    page = tab()
    page.goto(site.address)
    page.evaluate(
        """() => { const s = document.createElement("script"); s.textContent = "document.title = 'owned'";
        document.body.append(s); }"""
    )
    assert page.title() != "owned"
    assert any("Content Security Policy" in words for words in page.said)


def test_a_link_in_a_notebook_leads_here_and_a_frame_does_not(site: Site, tab: Tab) -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(
                f'<a href="{site.address}">go</a><iframe src="{site.address}"></iframe>'.encode()
            )

        def log_message(self, *_words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        page = tab()
        page.goto(f"http://localhost:{server.server_port}/")
        assert page.frames[1].locator("nav").count() == 0
        page.get_by_role("link", name="go").click()
        page.get_by_role("heading", name="Local SageMaker").wait_for()
        server.shutdown()
        thread.join()
