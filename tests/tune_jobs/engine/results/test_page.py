"""The page of a configuration that never was: what its template makes of what it is given."""

import re
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from tests.tune_jobs.engine.parts import make_info
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.report.finding_charts import draw_finding
from tune_jobs.engine.results.report.page import TEMPLATE, Report, build_page
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.provenance import Hardware

from .examples import make_data, make_finding
from .test_chart import draw

MakeRow = Callable[..., Row]

NASTY = '<script>alert("&")</script>'

INFO = make_info(
    data="digits: 18 images",
    notes=(NASTY,),
    run_id="first",
    git_commit="abc",
    git_clean=False,
    options=Options.resolve(JOB, storage="/data/my results", seed=3),
    command="python -m tune_jobs.digits_cnn",
    versions={"python": "3.11", "torch": "2.11"},
    hardware=Hardware(cpu="any", cores=2, memory_bytes=2**30),
)


def make_report(make_row: MakeRow, names: list[str], *, num_configurations: int = 1) -> Report:
    rows = [make_row(0.9, winner=True, val_accuracy=0.9), make_row(0.8, trial_number=2)]
    answers = [([0, 1, 2, 2], [0, 1, 2, 1])]
    titled = list(zip(("winner", "published 16"), rows, strict=True))[:num_configurations]
    findings = [make_finding(row, names, answers, title=title) for title, row in titled]
    return Report(
        info=INFO,
        rows=rows,
        configurations=[draw_finding(finding) for finding in findings],
        charts=[],
        data=make_data(names),
    )


def test_what_is_said_is_text_and_not_markup(make_row: MakeRow) -> None:
    page = build_page(make_report(make_row, ["cat", "dog", NASTY]))
    assert "<script" not in page
    escaped = page.count("&lt;script&gt;alert(")
    # the note, the table by class, most confused, mistakes, 4 samples with their name, and charts
    assert escaped >= 1 + 1 + 1 + 2 + 5 + 4


def test_the_same_record_gives_the_same_page(make_row: MakeRow) -> None:
    one, other = (build_page(make_report(make_row, ["cat", "dog", "owl"])) for _ in range(2))
    assert one == other


def test_a_page_has_no_id_twice(make_row: MakeRow) -> None:
    report = make_report(make_row, ["cat", "dog", "owl"], num_configurations=2)
    report.charts.extend([draw("one"), draw("other")])
    ids = re.findall(r' id="(.*?)"', build_page(report))
    assert len(ids) >= 2
    assert len(ids) == len(set(ids))


def test_a_run_that_kept_no_predictions_has_its_tables_and_how_to_get_it_again(
    make_row: MakeRow,
) -> None:
    page = build_page(make_report(make_row, ["cat", "dog", "owl"], num_configurations=0))
    assert re.findall("<h2>(.*?)</h2>", page) == ["Leaderboard", "The search", "Get it again"]
    for said in (
        "python -m tune_jobs leaderboard reproduce first:1 --storage &#39;/data/my results&#39;",
        *("commit: abc with changes", "seeds: search 3, retraining [1, 2]", "data: a split b"),
        *(
            "versions: python 3.11, torch 2.11",
            "&#34;cores&#34;: 2, &#34;memory_bytes&#34;",
            "precision: fp32",
        ),
    ):
        assert said in page


def test_every_configuration_is_told(make_row: MakeRow) -> None:
    page = build_page(make_report(make_row, ["cat", "dog", "owl"], num_configurations=2))
    assert "<h2>The winner: trial 1</h2>" in page
    assert "<h2>The published 16: trial 2</h2>" in page
    assert page.count("<li>owl taken for dog: 1</li>") == 2
    assert re.findall(r'<th scope="row" class="left">(.*?)</th>', page) == ["cat", "dog", "owl"] * 2
    assert page.count("<td>0.5000</td>") == 4  # the owl's recall, the dog's precision


def test_the_page_says_what_the_commonest_class_reaches(make_row: MakeRow) -> None:
    report = make_report(make_row, ["cat", "dog", "owl"])
    assert "always answering" not in build_page(report)
    known = {"majority_class": NASTY, "majority_class_accuracy": 0.25}
    report.rows[:] = [make_row(0.9, winner=True, val_accuracy=0.9, **known)]
    said = "&lt;/script&gt;&#39;, the commonest class: 0.2500</p>"
    assert said in build_page(report)


def test_a_perfect_configuration_has_no_mistakes(make_row: MakeRow) -> None:
    report = make_report(make_row, ["cat", "dog", "owl"])
    finding = make_finding(report.rows[0], ["cat", "dog", "owl"], [([0, 1, 2], [0, 1, 2])])
    report.configurations[:] = [draw_finding(finding)]
    page = build_page(report)
    assert "<li>no errors</li>" in page
    assert "<p>none</p>" in page


def test_an_installed_copy_has_the_template() -> None:
    pyproject = Path(__file__).parents[4] / "pyproject.toml"
    setuptools = tomllib.loads(pyproject.read_text())["tool"]["setuptools"]
    assert any(fnmatch(TEMPLATE, pattern) for pattern in setuptools["package-data"]["*"])
