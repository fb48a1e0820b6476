"""Take the pictures of README and docs anew: `make screenshots` or this module.

The real app is started, opened in Chromium, and what SHOTS says is written to assets/screenshots.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.served import ROOT, served_app
from trainer.publish.visit import chromium, open_view, open_visit

FOLDER = ROOT / "assets" / "screenshots"


@dataclasses.dataclass(frozen=True)
class Shot:
    """What one picture shows."""

    view: str
    width: int = 1200  # pixels of the window
    height: int = 860
    theme: str = "light"


SHOTS = {
    "try-it": Shot("try"),
    "words": Shot("try-words"),
    "reading": Shot("try-reading", theme="dark"),
    "pooling": Shot("pooling-split"),
    "attention": Shot("attention-maps", height=1320, theme="dark"),
    "experiments": Shot("experiments-scores"),
    "phone": Shot("try", width=390, height=844, theme="dark"),
}


def settle(page: Page) -> None:
    """Wait until all is drawn and still."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)


def take(folder: Path = FOLDER) -> list[Path]:
    """Write every picture into `folder`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with served_app() as url, chromium() as browser:
        for name, shot in SHOTS.items():
            seen = open_visit(browser.new_context(), url, shot.width, shot.height, shot.theme)
            open_view(seen.page, shot.view)
            settle(seen.page)
            files.append(folder / f"{name}.png")
            seen.page.screenshot(path=files[-1])
            seen.page.close()
            if seen.errors:
                raise RuntimeError(f"{name}: the page reported {seen.errors}")
    return files


if __name__ == "__main__":
    for file in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{file} {file.stat().st_size:,} bytes")  # noqa: T201 - what a person waits for
