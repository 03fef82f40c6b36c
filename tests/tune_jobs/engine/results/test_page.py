"""The page of a configuration that never was: what its template makes of what it is given."""

import dataclasses
import re
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from tests.tune_jobs.engine.parts import make_info
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.analysis.analysis import SearchAnalysis
from tune_jobs.engine.results.analysis.chance import EpochsAtChance
from tune_jobs.engine.results.analysis.outlook import METHOD, Outlook
from tune_jobs.engine.results.analysis.sources import Reference, SourceFigures
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


ANALYSIS = SearchAnalysis(
    importances={"lr": 0.75, "dropout": 0.25},
    num_ranked=32,
    num_rare=0,
    sources=[
        SourceFigures(
            source=NASTY, num_proposals=7, num_stopped=3, num_full=2, best=0.9, num_better=1
        ),
        SourceFigures(
            source="uniform", num_proposals=2, num_stopped=2, num_full=0, best=None, num_better=None
        ),
    ],
    first_rung=3,
    architectures="cnn best 0.9000 (9 trials, 60 s); vgg not tried",
    reference=Reference(trial_number=2, origin="published", value=0.85),
    at_chance=EpochsAtChance(num_trials=2, num_epochs=6, of_epochs=48),
    outlook=Outlook(
        label="val",
        num_proposals=10,
        seconds=3600,
        is_capped=False,
        probability=0.5,
        best=0.9,
        median=0.9,
        high=0.92,
    ),
    within_noise=False,
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
        analysis=ANALYSIS,
        data=make_data(names),
    )


def test_what_is_said_is_text_and_not_markup(make_row: MakeRow) -> None:
    page = build_page(make_report(make_row, ["cat", "dog", NASTY]))
    assert "<script" not in page
    escaped = page.count("&lt;script&gt;alert(")
    # note, table by class, most confused, mistakes, 4 samples with their name, a source, charts
    assert escaped >= 1 + 1 + 1 + 2 + 5 + 1 + 4


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
    assert (
        re.findall(r'<th scope="row" class="left">(\w+)</th>', page)[:6]
        == ["cat", "dog", "owl"] * 2
    )
    assert page.count("<td>0.5000</td>") == 4  # the owl's recall, the dog's precision


def test_the_page_says_what_the_commonest_class_reaches(make_row: MakeRow) -> None:
    report = make_report(make_row, ["cat", "dog", "owl"])
    assert "always answering" not in build_page(report)
    known = {"majority_class": NASTY, "majority_class_accuracy": 0.25}
    report.rows[:] = [make_row(0.9, winner=True, val_accuracy=0.9, **known)]
    said = "&lt;/script&gt;&#39;, the commonest class: 0.2500</p>"
    assert said in build_page(report)


def test_the_page_says_what_the_search_learned(make_row: MakeRow) -> None:
    report = make_report(make_row, ["cat", "dog", "owl"])
    page = build_page(report)
    for said in (
        "<p>Architectures: cnn best 0.9000 (9 trials, 60 s); vgg not tried.</p>",
        "<p>Parameters that mattered most: lr 0.75, dropout 0.25.</p>",
        "<p>Epochs at chance: 6 of 48 epochs (12%), by 2 trials that never beat a guess.</p>",
        "<p>Outlook: another 60 min (10 proposals): 50% likely to improve on val 0.9000; median",
        f'<p class="soft">{METHOD}</p>',
        "First rung: epoch 3, or before it for what diverged; the reference, trial 2 (published), ",
        "<td>7</td>\n<td>3</td><td>2</td>\n<td>0.9000</td>\n<td>1</td></tr>",
        "<td>2</td>\n<td>2</td><td>0</td>\n<td>-</td>\n<td>-</td></tr>",
    ):
        assert said in page
    nothing = dataclasses.replace(
        ANALYSIS,
        importances={},
        num_ranked=3,
        num_rare=0,
        at_chance=None,
        outlook=None,
        reference=None,
        within_noise=None,
    )
    page = build_page(dataclasses.replace(report, analysis=nothing))
    for said in (
        "<p>Parameters that mattered most: too few trials to tell: 3 ended with a score, ",
        "<p>Epochs at chance: not recorded.</p>",
        "<p>Outlook: too few trials reached the full budget to tell.</p>",
        "no published (or default) configuration was trained to its end",
    ):
        assert said in page
    assert METHOD not in page


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
