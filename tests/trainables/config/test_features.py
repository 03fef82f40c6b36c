"""What features a job trains on, read back from JSON."""

from collections.abc import Callable
from dataclasses import asdict

import pytest

from trainables.config import ConfigError
from trainables.config.features import Features, Frozen, Hog, Pixels, build_features


@pytest.mark.parametrize(
    "spec",
    [Pixels(), Hog(components=3), Frozen(architecture="cnn", config={"zoom": 0.1}, views=2)],
    ids=lambda spec: spec.kind,
)
def test_what_is_built_is_what_was_stored(spec: Features) -> None:
    assert build_features(asdict(spec)) == spec


def test_an_unknown_kind_is_told_of_the_nearest() -> None:
    message = "features: kind = 'pixel': must be one of pixels, hog, frozen .did you mean 'pixels'"
    with pytest.raises(ConfigError, match=message):
        build_features({"kind": "pixel"})
    with pytest.raises(ConfigError, match="features: kind = None: must be one of"):
        build_features({})


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Hog(ranked_by="f_clasif"), "ranked_by = .*: must be one of f"),  # type: ignore[arg-type]
        (lambda: Hog(components=0), "components = 0: must be at least 1"),
        (lambda: Frozen(architecture="cnn", views=-1), "views = -1: must be at least 0"),
        (lambda: Frozen(architecture="cnn", image_size=0), "image_size = 0: must be at least 1"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(build: Callable[[], Features], said: str) -> None:
    with pytest.raises(ConfigError, match=f"features: {said}"):
        build()
