"""The order of an epoch: any one where the images fit into memory, in blocks where they do not."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.training import inputs
from trainables.training.inputs import Placed, shuffle_blocks

CPU = Runtime(device="cpu")


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_images_that_fit_come_in_any_order(make_data: Callable[..., ImageData]) -> None:
    data = make_data()
    placed = Placed(data, None, CPU)
    as_ever = placed.train[torch.randperm(len(placed.train), generator=generator(1))]
    twice = replace(CPU, memory_bytes=2 * data.images_NHWC.nbytes)
    for runtime in (CPU, twice):  # a run of an earlier version; a machine with room
        batches = placed.draw_batches(4, runtime, generator(1))
        assert [batch.tolist() for batch in batches] == [
            b.tolist() for b in as_ever.tensor_split(4)
        ]


def test_images_larger_than_memory_are_read_in_blocks(
    make_data: Callable[..., ImageData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "BLOCK_BYTES", 4 * 64)  # images of 8 x 8
    monkeypatch.setattr(inputs, "WINDOW_BYTES", 20 * 64)  # of 60
    data = make_data()
    placed = Placed(data, None, CPU)
    small = replace(CPU, memory_bytes=2 * data.images_NHWC.nbytes - 1)

    def draw(seed: int) -> torch.Tensor:
        return torch.cat(list(placed.draw_batches(4, small, generator(seed))))

    order = draw(1)
    assert torch.equal(order.sort().values, placed.train)
    assert torch.equal(order, draw(1))
    assert not torch.equal(order, draw(2))
    place_of = {int(index): place for place, index in enumerate(placed.train)}
    for window in torch.split(order, 20):
        assert len({place_of[int(index)] // 4 for index in window}) == 5


@pytest.mark.parametrize("count", [1, 99, 100, 103])
def test_every_image_comes_once(count: int) -> None:
    order = shuffle_blocks(count, 5, 5, generator(0))
    assert order.sort().values.tolist() == list(range(count))


def test_every_window_has_all_classes_in_proportion() -> None:
    by_class = torch.arange(1000) // 100
    for seed in range(5):
        order = shuffle_blocks(1000, 5, 10, generator(seed))
        for window in order.tensor_split(10):
            assert by_class[window].bincount(minlength=10).tolist() == [10] * 10


def test_any_block_may_come_at_any_time() -> None:
    firsts = {int(shuffle_blocks(100, 5, 5, generator(seed))[0]) // 5 for seed in range(200)}
    assert firsts == set(range(20))
