"""The training of a configuration, which the peers have in common, in plain PyTorch."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from benchmarks.peers.network import Network, Splits, evaluate, train_epoch
from benchmarks.peers.same_work import EPOCHS, MOMENTUM, Configuration


def build_network(config: Configuration, splits: Splits) -> Network:
    filters = [config[f"filters_{block}"] for block in (1, 2, 3)]
    return Network(
        [width for width in filters if width],
        config["dense_1"],
        config["dropout"],
        shape_HWC=splits.shape_HWC,
        num_classes=splits.num_classes,
    )


def build_optimizer(config: Configuration, model: Network) -> torch.optim.Optimizer:
    lr, l2 = config["lr"], config["l2"]
    if config["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), lr=lr, weight_decay=l2)
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=MOMENTUM, weight_decay=l2)


def train(config: Configuration, splits: Splits, model_file: Path) -> Iterator[float]:
    """Train, and yield the accuracy on validation after each epoch, with the model saved."""
    model = build_network(config, splits)
    optimizer = build_optimizer(config, model)
    batches = DataLoader(splits.train, batch_size=config["batch_size"], shuffle=True)
    for _ in range(EPOCHS):
        train_epoch(model, batches, optimizer)
        torch.save(model.state_dict(), model_file)
        yield evaluate(model, splits.validation)


def load(config: Configuration, splits: Splits, model_file: Path) -> Network:
    model = build_network(config, splits)
    model.load_state_dict(torch.load(model_file))
    return model
