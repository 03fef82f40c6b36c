"""Every example as its first lines say, with a tiny budget; the notebook on a leaderboard that an
earlier version wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tune_jobs.engine.results.leaderboard import read_rows

pytestmark = pytest.mark.usefixtures("on_one_ray")

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TINY = ("--trials", "2", "--epochs", "1", "--retrain-top", "1", "--retrain-seeds", "1")
USUAL = (*TINY, "--precision", "fp32")


def run_script(name: str, *words: str, folder: Path) -> None:
    script = EXAMPLES / name
    assert f"python examples/{name}" in (script.parent / "job.py").read_text()
    done = subprocess.run(
        [sys.executable, script, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_photos(tmp_path: Path) -> None:
    run_script("photos/make_photos.py", folder=tmp_path)
    run_script("photos/job.py", *USUAL, folder=tmp_path)
    rows = read_rows(tmp_path).rows
    assert {(row.job, row.dataset) for row in rows} == {("photos", "folder:photos")}


def test_csv(tmp_path: Path) -> None:
    run_script("csv/make_csv.py", folder=tmp_path)
    run_script("csv/job.py", *USUAL, folder=tmp_path)
    [dataset] = {row.dataset for row in read_rows(tmp_path).rows}
    assert dataset == "csv:scans/scans.csv?image=file&label=digit"


def test_finetune(tmp_path: Path) -> None:
    run_script("finetune/make_digits.py", folder=tmp_path)
    run_script("finetune/pretrain.py", *USUAL, folder=tmp_path)
    [model] = tmp_path.glob("runs/pretrain/*/models/retrain-*.safetensors")
    weights = str(model.relative_to(tmp_path))
    run_script("finetune/job.py", *USUAL, "--weights", weights, folder=tmp_path)
    rows = read_rows(tmp_path / "leaderboards" / "finetune").rows
    assert all((row.weights or "").startswith(f"{weights} sha256:") for row in rows)


def test_notebook(tmp_path: Path) -> None:
    (tmp_path / "leaderboards").symlink_to(ROOT / "tests" / "formats" / "c302f04" / "leaderboards")
    notebook = json.loads((EXAMPLES / "read_a_leaderboard.ipynb").read_text())
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    assert not any(cell.get("outputs") for cell in notebook["cells"])  # none of another machine
    looked_at = "\nprint(len(plt.get_fignums()), list(configs.columns))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(cells) + looked_at],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 ['test_accuracy', ")
    assert "'lr'" in done.stdout
