"""Fashion-MNIST, scikit-learn estimators on HOG features.

Report 000, system 6: first-stage classifiers on HOG and PCA features. A support vector machine
reached 0.89, gradient-boosted trees 0.88 on test; the linear model and the random forest have no
figure.
"""

from searchspaces import classical
from trainables.features import Hog
from tune_jobs.engine import Job, Published, main

ASSUMED = ("num_features", "hyperparameters", "cells and orientations of HOG")

JOB = Job(
    name="fashion_features_classical",
    dataset="fashion-mnist",
    architecture="svm",
    space=classical.space,
    trials=32,
    epochs=9,
    image_size=28,
    shape=(28, 28, 1),
    features=Hog(),
    published=(
        Published(
            name="6 (SVM)",
            config={"architecture": "svm", "num_features": 128},
            accuracy=0.89,
            metric="test",
            assumed=ASSUMED,
        ),
        Published(
            name="6 (boosted trees)",
            config={"architecture": "boosted_trees", "num_features": 128},
            accuracy=0.88,
            metric="test",
            assumed=(*ASSUMED, "scikit-learn's histogram-based trees for XGBoost"),
        ),
        Published(
            name="6 (linear)",
            config={"architecture": "logistic_regression", "num_features": 128},
            assumed=ASSUMED,
        ),
        Published(
            name="6 (random forest)",
            config={"architecture": "random_forest", "num_features": 128},
            assumed=ASSUMED,
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
