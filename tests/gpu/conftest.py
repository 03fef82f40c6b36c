"""What only a GPU can show. Without one, every test here says that it did not run."""

from pathlib import Path

import pytest
import torch

from trainables.config import Runtime
from trainables.datasets import ImageData, load_dataset

CUDA = Runtime(device="cuda")
CPU = Runtime(device="cpu")


@pytest.fixture(autouse=True, scope="session")
def _gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("NO GPU WAS TESTED: torch finds none")


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ImageData:
    return load_dataset("digits", data_dir=Path(tmp_path_factory.mktemp("data")))
