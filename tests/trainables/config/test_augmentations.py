"""The table of augmentations: what every entry of it promises."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from trainables.config import ConfigError, TrialConfig, parse_trial
from trainables.config.augmentations import AUGMENTATIONS, Augmentation, Shown

every_knob = pytest.mark.parametrize(
    ("name", "knob"), [pair for step in AUGMENTATIONS.values() for pair in step.knobs().items()]
)


@dataclass(frozen=True)
class Config:
    dropout: float = 0.0


class Unchanged(Augmentation):
    def apply(
        self, images_NHWC: Tensor, generator: torch.Generator, crop_fraction: float
    ) -> Tensor:
        return images_NHWC


def parse(**given: object) -> TrialConfig:
    config, _ = parse_trial({"architecture": "net", "epochs": 1, **given}, Config)
    return config


@pytest.mark.parametrize("step", AUGMENTATIONS.values())
def test_what_is_not_used_changes_and_draws_nothing(step: type[Augmentation]) -> None:
    images_NHWC = torch.arange(2 * 5 * 6 * 3, dtype=torch.uint8).view(2, 5, 6, 3)
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert step().apply(images_NHWC, generator, 1.0) is images_NHWC
    assert torch.equal(generator.get_state(), before)


@every_knob
def test_nominal_strengths_obey_the_rules(name: str, knob: Shown) -> None:
    steps = parse(**{name: knob.nominal}).augmentations
    assert knob.nominal in [getattr(step, name) for step in steps if name in step.knobs()]


def test_a_page_shows_what_is_given_or_else_the_nominal_strength() -> None:
    assert Shown(15.0).strength(0.0) == 15.0
    assert Shown(15.0).strength(4.0) == 4.0


def test_a_page_shows_an_image_that_is_changed_however_seldom_it_is() -> None:
    assert Shown(1.0, is_probability=True).strength(0.1) == 1.0


def test_a_configuration_has_every_step_in_the_order_of_the_table() -> None:
    assert [type(step) for step in parse(zoom=0.1).augmentations] == [*AUGMENTATIONS.values()]
    assert TrialConfig(architecture="net", epochs=1) == parse()


def test_the_steps_are_no_key_of_a_flat_configuration() -> None:
    with pytest.raises(ConfigError, match=r"augmentations = \[\]: unknown key"):
        parse(augmentations=[])


def test_a_knob_that_no_page_could_show_is_refused() -> None:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Plain(Unchanged):
        gamma: float = 0.0

    with pytest.raises(TypeError, match=r"Plain\.gamma: a knob must be made by `probability"):
        Plain()


def test_a_name_that_two_parts_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Dropout(Unchanged):
        dropout: float = 0.0

    monkeypatch.setitem(AUGMENTATIONS, "dropout", Dropout)
    with pytest.raises(ConfigError, match="dropout: a knob of both Dropout and Config: give one"):
        parse()
