"""``make screenshots``: the README's pictures, taken of the running demo (start it with ``make run``)."""

import sys
from pathlib import Path
from typing import NamedTuple

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from headway.demo import PASSWORD
from tests.stand_ins import chromium

HERE = "http://localhost:8000"
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 860}


class Picture(NamedTuple):
    """One page as one person sees it; ``follow`` is a link to click first, by its words."""

    name: str
    who: str
    path: str
    desktop: bool = True
    follow: str = ""


PICTURES = (
    Picture("client-home", "ana@example.com", "/home/", desktop=False),
    Picture("client-benefits", "ana@example.com", "/benefits/"),
    Picture("client-plans", "ana@example.com", "/plans/", desktop=False),
    Picture("client-past", "ana@example.com", "/appointments/past/"),
    Picture("client-payments", "ana@example.com", "/payments/", desktop=False),
    Picture("provider-dashboard", "cole@example.com", "/provider/"),
    Picture("provider-confirm", "cole@example.com", "/provider/", follow="Ana Rivera"),
    Picture("support-desk", "fay@example.com", "/admin/"),
)


def sign_in(browser: Browser, who: str, *, desktop: bool) -> Page:
    size = DESKTOP if desktop else PHONE
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, device_scale_factor=1, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{HERE}/accounts/login/")
    page.get_by_label("Email").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
    return page


def main() -> int:
    try:
        requests.get(f"{HERE}/healthz", timeout=5).raise_for_status()
    except requests.RequestException:
        print(f"Nothing answers at {HERE}: start the demo with `make run` first.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        pages: dict[tuple[str, bool], Page] = {}
        for picture in PICTURES:
            person = (picture.who, picture.desktop)
            if person not in pages:
                pages[person] = sign_in(browser, picture.who, desktop=picture.desktop)
            page = pages[person]
            page.goto(f"{HERE}{picture.path}", wait_until="networkidle")
            if picture.follow:
                page.get_by_role("link", name=picture.follow).first.click()
                page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{picture.name}.png")
            print(f"{picture.name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
