"""Learning curves of any configuration of a recorded task, fitted to the recorded ones.

Extremely randomised trees predict the whole curve from where the parameters lie in their ranges.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import spearmanr
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import cross_val_predict

from benchmarks.record_curves import FOLDER, TASKS, Task

Array = np.ndarray[Any, np.dtype[np.float64]]

TREES = 200
WORDS = ("optimizer", "schedule", "architecture", "kernel", "activation")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Accuracies on validation, an entry for each epoch, and seconds of an epoch."""

    raw: Array
    averaged: Array
    seconds: float


class Surrogate:
    """Predicts curves.

    Args:
        validation: The number of images on which an accuracy was measured.
        without: Recorded configurations that it is not fitted to.
    """

    def __init__(
        self,
        path: Path,
        *,
        epochs: int,
        validation: int,
        without: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.epochs, self.validation = epochs, validation
        params, curves, seconds = read_curves(path, epochs)
        kept = [number for number, each in enumerate(params) if each not in without]
        params, curves, seconds = [params[number] for number in kept], curves[kept], seconds[kept]
        self.names = sorted({name for each in params for name in each})
        self._words: dict[str, dict[Any, int]] = {}
        X = np.stack([self._row(each) for each in params])
        self._rows, self.measured = X, curves
        self._curves = ExtraTreesRegressor(TREES, min_samples_leaf=1, random_state=0, n_jobs=1)
        self._seconds = ExtraTreesRegressor(TREES, min_samples_leaf=2, random_state=0, n_jobs=1)
        self._predict_curve = flattened(self._curves.fit(X, curves))
        self._predict_seconds = flattened(self._seconds.fit(X, np.log(seconds)))
        self.params = params
        self._known: dict[str, Curve] = {}

    def errors(self) -> tuple[float, float]:
        """Rank correlation and mean absolute error of the last accuracy, in 10-fold validation."""
        held_out = cross_val_predict(self._curves, self._rows, self.measured, cv=10)
        measured, found = self.measured[:, -1], held_out[:, -1]
        return float(spearmanr(measured, found).statistic), float(abs(measured - found).mean())

    def curve(self, params: Mapping[str, Any]) -> Curve:
        key = json.dumps(dict(params), sort_keys=True)
        if key not in self._known:
            row = self._row(params)
            values = self._predict_curve(row)
            self._known[key] = Curve(
                raw=values[: self.epochs],
                averaged=values[self.epochs :],
                seconds=float(np.exp(self._predict_seconds(row)[0])),
            )
        return self._known[key]

    def _row(self, params: Mapping[str, Any]) -> Array:
        row: list[float] = []
        for name in self.names:
            value = params.get(name)
            if name in WORDS:
                words = self._words.setdefault(name, {})
                place = words.setdefault(value, len(words))
                row += [float(place == k) for k in range(8)]
            elif value is None:
                row.append(-1.0)
            elif name in ("lr", "l2") or name.endswith(("_c", "_scale", "hidden_1", "_lr")):
                row.append(float(np.log10(value + 1e-6)))
            else:
                row.append(float(value))
        if "lr" in self.names and "optimizer" in self.names:
            row.append(np.log10(params["lr"]) + 1.5 * (params["optimizer"] != "sgd"))
        return np.array(row)


def flattened(forest: ExtraTreesRegressor) -> Callable[[Array], Array]:
    """Return the forest's prediction for one row, which goes down all trees at once: a replay asks
    for one curve at a time, and a call of `predict` takes 200 calls of trees."""
    trees = [tree.tree_ for tree in forest.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
    left = np.concatenate([t.children_left + r for t, r in zip(trees, roots, strict=True)])
    right = np.concatenate([t.children_right + r for t, r in zip(trees, roots, strict=True)])
    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees])
    values = np.concatenate([tree.value[:, :, 0] for tree in trees])

    def predict(row: Array) -> Array:
        row = row.astype(np.float32)  # as scikit-learn compares it
        nodes = roots
        while (inner := feature[nodes] >= 0).any():
            below = row[feature[nodes]] <= threshold[nodes]
            nodes = np.where(inner, np.where(below, left[nodes], right[nodes]), nodes)
        return np.asarray(values[nodes].mean(axis=0))

    return predict


def recorded(names: Sequence[str]) -> Iterator[tuple[str, Task, Surrogate]]:
    """Yield the tasks of these names, or all of them, that have been recorded."""
    for name in names or TASKS:
        task, path = TASKS[name], FOLDER / f"{name}.parquet"
        if path.exists():
            yield name, task, Surrogate(path, epochs=task.epochs, validation=task.validation)
        else:
            print(f"{name}: not recorded")


def read_curves(path: Path, epochs: int) -> tuple[list[dict[str, Any]], Array, Array]:
    """Parameters, curves (raw, then averaged) and seconds; what broke off stays at chance."""
    by_number: dict[int, list[dict[str, Any]]] = {}
    for row in pq.read_table(path).to_pylist():
        by_number.setdefault(row["number"], []).append(row)
    firsts = [rows[0]["raw"] for rows in by_number.values() if rows[0]["raw"] > 0]
    chance = float(np.min(firsts))
    params, curves, seconds = [], [], []
    for rows in by_number.values():
        rows.sort(key=lambda row: row["epoch"])
        values = []
        for name in ("raw", "averaged"):
            known = [row[name] for row in rows if row["epoch"]]
            known = [value if np.isfinite(value) else chance for value in known]
            values += known + [chance] * (epochs - len(known))
        params.append(json.loads(rows[0]["params"]))
        curves.append(values)
        seconds.append(max(1e-3, float(np.median([row["seconds"] for row in rows]))))
    return params, np.array(curves), np.array(seconds)
