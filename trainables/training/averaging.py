"""Average a network's weights while it trains: what predicts is the average."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def average_weights(
    trained: nn.Module, *, epochs: float, steps_per_epoch: int
) -> AveragedModel | None:
    """Build an exponential moving average of a network's weights and batch norm's statistics.

    Averaged weights predict as if the rate had been lowered, so that trainings whose schedules
    differ can be compared before their ends (Morales-Brotons et al. 2024, arXiv 2411.18704).

    Args:
        epochs: The average's time constant, one step at least; 0 averages nothing.
    """
    if not epochs:
        return None
    steps = max(1.0, epochs * steps_per_epoch)
    update = get_ema_multi_avg_fn(1 - 1 / steps)  # type: ignore[no-untyped-call]
    return AveragedModel(trained, multi_avg_fn=update, use_buffers=True)
