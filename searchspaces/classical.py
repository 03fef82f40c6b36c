"""Search scikit-learn's estimators on features that are computed once."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna import Trial

ESTIMATORS = ("logistic_regression", "svm", "random_forest", "boosted_trees")

MOST_FEATURES = 128


def space(trial: "Trial") -> None:
    """Search the estimator, its own hyperparameters, and how many ranked features it gets."""
    architecture = trial.suggest_categorical("architecture", ESTIMATORS)
    trial.suggest_int("num_features", 8, MOST_FEATURES, log=True)
    if architecture == "logistic_regression":
        trial.suggest_float("logistic_c", 1e-4, 1e2, log=True)
    elif architecture == "svm":
        svm_space(trial)
    elif architecture == "random_forest":
        _suggest_random_forest(trial)
    else:
        _suggest_boosted_trees(trial)


def svm_space(trial: "Trial") -> None:
    """Search a support vector machine, with a linear or a Gaussian kernel."""
    kernel = trial.suggest_categorical("kernel", ("linear", "rbf"))
    trial.suggest_float("svm_c", 1e-3, 1e3, log=True)
    if kernel == "rbf":
        trial.suggest_float("gamma_scale", 1e-2, 1e1, log=True)
        trial.suggest_int("num_landmarks", 100, 1000, log=True)


def hog_svm_space(trial: "Trial") -> dict[str, str]:
    """Search a support vector machine on histograms of oriented gradients."""
    svm_space(trial)
    return {"features": "hog"}


def frozen_logistic_space(trial: "Trial") -> dict[str, str]:
    """Search logistic regression on what a frozen pretrained network sees."""
    trial.suggest_float("logistic_c", 1e-5, 1e1, log=True)
    return {"features": "frozen"}


def knn_space(trial: "Trial") -> None:
    """Search k nearest neighbours, by three distances."""
    trial.suggest_int("k", 1, 15)
    trial.suggest_categorical("metric", ("euclidean", "manhattan", "cosine"))
    trial.suggest_categorical("weights", ("uniform", "distance"))


def _suggest_random_forest(trial: "Trial") -> None:
    trial.suggest_int("num_trees", 50, 500, log=True)
    trial.suggest_categorical("max_depth", (None, 8, 16, 32))
    trial.suggest_categorical("max_features", (None, 0.1, 0.2, 0.4))
    trial.suggest_int("min_samples_leaf", 1, 20, log=True)


def _suggest_boosted_trees(trial: "Trial") -> None:
    trial.suggest_int("rounds", 20, 300, log=True)
    trial.suggest_float("boosting_lr", 1e-2, 0.5, log=True)
    trial.suggest_float("boosting_l2", 0.0, 10.0)
    trial.suggest_int("max_leaf_nodes", 7, 63, log=True)
    trial.suggest_int("boosting_min_leaf", 5, 100, log=True)
