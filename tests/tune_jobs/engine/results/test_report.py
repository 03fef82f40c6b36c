"""The report and TensorBoard in a real browser, as a user sees them, after one real run."""

import itertools
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tune_jobs import engine
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.results.run_result import RunResult

from .examples import contrast


@pytest.fixture(scope="module")
def result(one_ray: str, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    storage = tmp_path_factory.mktemp("storage")
    return engine.run(
        JOB,
        console=Console(quiet=True),
        storage=storage,
        data_dir=storage / "data",
        trials=6,
        epochs=3,
        retrain_top=2,
        retrain_seeds=2,
        scheduler="none",
        precision="fp32",
        seed=3,
        run_id="seen",
    )


@pytest.fixture(scope="module")
def page(result: RunResult) -> str:
    assert result.report is not None
    return Path(result.report).read_text(encoding="utf-8")


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_no_network(page: str) -> None:
    tags = Tags(page).found
    sources = [a[name] for _, a in tags for name in ("src", "href", "srcset") if name in a]
    assert sources
    assert all((source or "").startswith("data:image/png;base64,") for source in sources)
    inside = [a["xlink:href"] for _, a in tags if "xlink:href" in a]  # marks that a chart repeats
    assert all((source or "").startswith("#") for source in inside)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags}
    assert "url(" not in page
    assert "@import" not in page


def test_every_picture_has_a_text_alternative(page: str) -> None:
    tags = Tags(page).found
    images = [attributes for tag, attributes in tags if tag == "img"]
    charts = [attributes for tag, attributes in tags if tag == "svg"]
    assert len(images) >= 10 * 4 + 8
    assert len(charts) >= 4
    assert all(attributes.get("alt") for attributes in images)
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in charts)


def test_headings_and_tables_can_be_listened_to(page: str) -> None:
    tags = Tags(page).found
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tables = page.count("<table>")
    assert tables >= 3
    assert len(re.findall("<table>\\s*<caption>\\S", page)) == tables
    assert all(a["scope"] in ("row", "col") for tag, a in tags if tag == "th")
    scrolled = [a for tag, a in tags if a.get("class") == "wide"]  # by keyboard, too
    assert len(scrolled) == tables
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in scrolled)
    assert all(a["aria-label"] for a in scrolled)


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 500_000


def test_text_stands_out_in_light_and_dark(page: str) -> None:
    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in page.split("@media")[:2]]
    assert schemes[0] != schemes[1]
    for colours in schemes:
        for ink in ("ink", "soft", "main", "wrong"):
            for ground in ("paper", "panel"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def share_of(picture: Image.Image, low: tuple[int, ...], high: tuple[int, ...]) -> float:
    """Of the pixels that lie between two colours."""
    pixels = np.asarray(picture)
    return float(((pixels >= low) & (pixels <= high)).all(axis=2).mean())


def test_the_report_answers_first(browser: Any, result: RunResult, tmp_path: Path) -> None:
    assert result.report is not None
    winner = next(row for row in result.rows if row.winner)
    browser.open(Path(result.report).as_uri())
    shown = browser.wait_for("Get it again", "python -m tune_jobs leaderboard reproduce seen:")
    answer = f"The winner is trial {winner.trial_number} ({winner.origin}), cnn: test accuracy "
    assert shown.startswith(f"digits_cnn on digits {answer}{winner.test_accuracy:.4f}")
    headings = browser.evaluate("[...document.querySelectorAll('h2')].map(h => h.textContent)")
    assert headings[0] == "Leaderboard"
    assert headings[1] == f"The winner: trial {winner.trial_number}"
    assert headings[-5:] == [
        "Surest mistakes of the winner (best seed)",
        "The data: 4 images of a class",
        "Augmentations, each by itself",
        "The search",
        "Get it again",
    ]
    grid = "[...document.querySelectorAll('.samples figure')].map(f => [f.innerText.trim(), "
    samples = browser.evaluate(grid + "f.querySelectorAll('img').length])")
    assert samples == [[str(digit), 4] for digit in range(10)]
    for caption in (
        *("as it is", "horizontal flip 1", "vertical flip 1", "crop padding", "rotation degrees"),
        *("shear degrees", "zoom 0.2", "translation", "Trials in their order", "by epoch reached"),
        *("Parameters that mattered most: too few trials to tell", "Full-budget trials by"),
        *("Epochs at chance: ", "Outlook: ", "at the recipe", "configurations tried"),
    ):
        assert caption in shown
    drawn = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert browser.evaluate(drawn)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    light = browser.screenshot(tmp_path / "light.png")
    assert share_of(light, (250, 250, 250), (255, 255, 255)) > 0.3


def test_the_report_is_dark_where_the_user_is(browser: Any, result: RunResult) -> None:
    assert result.report is not None
    browser.open(Path(result.report).as_uri(), dark=True)
    browser.wait_for("The winner is")
    assert share_of(browser.screenshot(), (15, 18, 20), (30, 35, 40)) > 0.5
    texts = "[...document.querySelectorAll('svg text')]"
    colours = browser.evaluate(f"{texts}.map(text => getComputedStyle(text).fill)")
    assert set(colours) == {"rgb(232, 234, 237)"}


@pytest.mark.parametrize("width", [390, 1200])
def test_the_report_fits_its_window(browser: Any, result: RunResult, width: int) -> None:
    assert result.report is not None
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.open(Path(result.report).as_uri())
    browser.wait_for("Get it again")
    browser.send("Emulation.setDeviceMetricsOverride", **screen)
    browser.evaluate("document.querySelector('h1').textContent = 'folder:/' + 'a'.repeat(200)")
    try:
        assert browser.evaluate("document.documentElement.clientWidth") <= width
        assert browser.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    finally:
        browser.send("Emulation.clearDeviceMetricsOverride")


def test_the_report_asks_the_network_for_nothing(browser: Any, result: RunResult) -> None:
    assert result.report is not None
    browser.open(Path(result.report).as_uri())
    browser.wait_for("Get it again")
    loaded = browser.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []


def test_the_report_shows_what_the_layers_see(browser: Any, result: RunResult) -> None:
    assert result.report is not None
    browser.open(Path(result.report).as_uri())
    shown = browser.wait_for("359 test images by the intermediate layer", "by the last layer")
    shares = re.findall(r"nearest neighbours of an image there, (\d+)% are of its class", shown)
    assert all(20 < int(share) <= 100 for share in shares[:2])
    titles = browser.evaluate("[...document.querySelectorAll('svg')].map(s => s.ariaLabel)")
    [_, drawn] = [n for n, title in enumerate(titles) if title.startswith("t-SNE of 359")][:2]
    svg = f"document.querySelectorAll('svg')[{drawn}]"
    assert browser.evaluate(f"{svg}.querySelectorAll(':not(svg) > title').length") == 359
    legend = browser.evaluate(f"[...{svg}.querySelectorAll('text')].map(t => t.textContent)")
    assert legend == [*map(str, range(10)), "a wrong answer"]


@contextmanager
def serve(command: Sequence[str], port: int) -> Iterator[str]:
    """The address of a server of the user's own, once it listens there."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert server.poll() is None, f"{command} ended"
            assert time.monotonic() < deadline, f"{command} did not start"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def board(result: RunResult) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "tensorboard.main"]
    command += ["--logdir", f"{result.folder}/tensorboard"]
    with serve([*command, "--host", "127.0.0.1", "--port", str(port)], port) as address:
        yield address


def test_tensorboard_shows_the_winners_pictures(browser: Any, board: str) -> None:
    browser.open(f"{board}/#images")
    browser.wait_for("confusion matrix", "augmentations", "samples", "surest mistakes", "winner")
    browser.wait_for("t-SNE of the intermediate layer", "t-SNE of the last layer")
    browser.click("augmentations")  # closed, they leave room for the next group
    blue = share_of(browser.screenshot(), (125, 165, 205), (205, 222, 242))
    assert blue > 0.002  # the diagonal


def test_tensorboard_shows_what_the_search_saw(browser: Any, board: str) -> None:
    browser.open(f"{board}/#images")
    browser.wait_for("confusion matrix", "search")
    browser.click("search")  # a group, closed at first
    browser.wait_for("Trials in their order, and the best so far", "Full-budget trials by")
    browser.wait_for_drawn("img[src*=individualImage]", at_least=6)


def test_tensorboard_shows_the_figures_by_class(browser: Any, board: str) -> None:
    browser.open(f"{board}/#text")
    browser.wait_for("by class", "precision", "recall", "F1", "most confused", "taken for")


def test_tensorboard_shows_curves_and_hyperparameters(browser: Any, board: str) -> None:
    browser.open(f"{board}/#scalars")
    browser.wait_for("accuracy/val", "accuracy/test", "loss/val", "retrain-0000-seed-4")
    browser.open(f"{board}/#hparams")
    browser.wait_for("Trial ID", "trial-0005", "batch_size", "PARALLEL COORDINATES VIEW")
    browser.click("PARALLEL COORDINATES VIEW")
    browser.wait_for_drawn("g.foreground path", at_least=6)  # a line per trial
    browser.wait_for_drawn("g.axis", at_least=5)


def test_tensorboard_shows_the_spread_of_the_seeds(browser: Any, board: str) -> None:
    browser.open(f"{board}/#custom_scalars")
    browser.wait_for("learning curves", "validation accuracy over seeds", "Matches (")
    browser.wait_for_drawn("path.area")


def test_tensorboard_projects_the_test_images(browser: Any, board: str) -> None:
    browser.open(f"{board}/#projector")
    browser.wait_for("Points: 359", "2 tensors found", "winner: last layer", "label")
    browser.wait_for("Total variance described")
    middle = browser.screenshot().crop((420, 150, 1080, 880))
    assert share_of(middle, (0, 0, 0), (40, 40, 40)) > 0.01  # thumbnails on white


def test_the_projector_has_both_layers(result: RunResult) -> None:
    folder = Path(result.folder, "tensorboard", "winner")
    config = (folder / "projector_config.pbtxt").read_text()
    names = re.findall(r'tensor_name: "(.*)"', config)
    paths = re.findall(r'tensor_path: "(.*)"', config)
    assert names == ["winner: intermediate layer", "winner: last layer"]
    between_ND, last_ND = (np.loadtxt(folder / path, delimiter="\t") for path in paths)
    labels = (folder / "metadata.tsv").read_text().splitlines()
    assert len(between_ND) == len(last_ND) == len(labels) - 1 == 359
    assert between_ND.shape[1] != last_ND.shape[1]


def test_optuna_dashboard_opens_the_record_as_it_is(browser: Any, result: RunResult) -> None:
    port = free_port()
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [str(program), str(result.study), "--host", "127.0.0.1"]
    with serve([*command, "--port", str(port)], port) as address:
        browser.open(f"{address}/dashboard")
        browser.wait_for("digits_cnn/seen", "digits_cnn/seen/retrain")
        browser.open(f"{address}/dashboard/studies/0")
        browser.wait_for("digits_cnn/seen", "History", "Hyperparameter Importance")
        browser.open(f"{address}/dashboard/studies/0/trials")
        browser.wait_for("Trial 5", "Complete", "batch_size", "default")
