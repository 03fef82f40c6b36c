"""What a search of 32 trials gains over the default configuration, and over that without a recipe.

    python -m benchmarks.new_default DATA --out FILE.jsonl [--trials 32] [--sets digits ...]

The data sets are those of `benchmarks/same_wall_time.py`, and so are DATA and FILE. On each, a run
searches and retrains its best three and the recipe, which is its default, with three seeds. Then it
goes on with one trial more, the defaults of `cnn` without its recipe, which is retrained too. Gains
are differences of test accuracies, of the search's winner on validation less the other's; p-values
are those of `tune_jobs/engine/results/statistics/`.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.json_lines import add_line, read_lines
from benchmarks.peers.contest import DATA_SETS, load
from searchspaces import cnn
from trainables.registry import default_of
from tune_jobs.engine import Job, Published, run
from tune_jobs.engine.results.comparison.row_statistics import read_answers
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.statistics.intervals import compare
from tune_jobs.engine.results.statistics.variance import Outcomes
from tune_jobs.engine.run_state.folder import open_place


def measure(name: str, trials: int, data: Path, cache: Path, storage: str) -> dict[str, Any]:
    wanted = DATA_SETS[name]
    load(name, data, cache)
    job = Job(
        name=f"gain_{name}",
        dataset=wanted.spec(data, cache),
        architecture="cnn",
        space=cnn.space,
        trials=trials,
        epochs=wanted.epochs,
        image_size=wanted.pixels,
    )
    options: dict[str, Any] = {
        "data_dir": cache,
        "train_size": wanted.train_size,
        "allow_duplicates": True,
        "storage": storage,
    }
    [chosen] = [row for row in run(job, run_id="gain", **options).rows if row.winner]
    old = {k: v for k, v in default_of("cnn", wanted.epochs).items() if k != "epochs"}
    job = replace(job, trials=trials + 1, published=(Published(name="old", config=old),))
    result = run(job, resume="gain", **options)
    by_trial = {row.trial_number: row for row in result.rows if not row.ensemble}
    winner = by_trial[chosen.trial_number]
    found: dict[str, Any] = {"set": name, "trials": trials, "winner": told(winner)}
    for label, origin in (("recipe", "default"), ("old default", "published")):
        [row] = [row for row in result.rows if row.origin == origin]
        compared = compare(outcomes(result.folder, winner), outcomes(result.folder, row))
        found[label] = {
            **told(row),
            "gain": compared.difference.value,
            "gain_p_value": compared.p_value,
        }
    return found


def told(row: Row) -> dict[str, Any]:
    return {
        "origin": row.origin,
        "trial_number": row.trial_number,
        "test_accuracy": row.test_accuracy,
        "test_accuracy_per_seed": row.test_accuracy_per_seed,
        "val_accuracy": row.val_accuracy,
        "config": json.loads(row.config),
    }


def outcomes(folder: str, row: Row) -> Outcomes:
    answers = read_answers(open_place(folder), row)
    assert answers is not None
    return answers.outcomes


def show(results: list[dict[str, Any]]) -> None:
    print("\n| data | winner | recipe | gain | p | without recipe | gain | p |")
    print("|---|---|---|---|---|---|---|---|")
    for result in results:
        cells = [result["set"], f"{result['winner']['test_accuracy']:.4f}"]
        for label in ("recipe", "old default"):
            row = result[label]
            cells += [f"{row['test_accuracy']:.4f}", f"{row['gain']:+.4f}"]
            cells.append(f"{row['gain_p_value']:.2g}")
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--sets", nargs="+", choices=DATA_SETS, default=list(DATA_SETS))
    given = parser.parse_args()
    cache = Path(tempfile.gettempdir()) / "same-wall-time"
    results = read_lines(given.out)
    known = {(result["set"], result["trials"]) for result in results}
    for name in given.sets:
        if (name, given.trials) in known:
            continue
        with tempfile.TemporaryDirectory() as storage:
            results.append(measure(name, given.trials, given.data.resolve(), cache, storage))
        add_line(given.out, results[-1])
    show(results)


if __name__ == "__main__":
    main()
