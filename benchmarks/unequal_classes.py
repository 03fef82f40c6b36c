"""What `--metric balanced_accuracy --class-weights balanced` brings where classes are 1:20.

    python -m benchmarks.unequal_classes FASHION_MNIST

Of Fashion-MNIST (its four `.gz` files) every second class has 1,000 training images and the others
have 50; all have 200 test images. The same search of a small network is run with each of the two
options, with both and with none, and the winners' figures on test are printed. On 2 CPUs (12
trials, 10 epochs, 3 seeds, 2,000 test images), balanced accuracy of the winner:

    metric             no class weights          balanced
    accuracy           0.8043 (0.7853-0.8221)    0.8345 (0.8183-0.8496)
    balanced_accuracy  0.8043 (0.7860-0.8215)    0.8283 (0.8123-0.8432)
"""

import argparse
import gzip
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from searchspaces import mlp
from tune_jobs.engine import Job, run

MANY, FEW, TESTED = 1000, 50, 200

JOB = Job(
    name="unequal",
    dataset="folder:",
    architecture="mlp",
    space=mlp.space,
    trials=12,
    epochs=10,
    shape=(28, 28, 1),
)


def write_images(source: Path, target: Path) -> None:
    for split, prefix in (("train", "train"), ("test", "t10k")):
        with gzip.open(source / f"{prefix}-images-idx3-ubyte.gz") as file:
            images_NHW = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(source / f"{prefix}-labels-idx1-ubyte.gz") as file:
            labels_N = np.frombuffer(file.read(), np.uint8, offset=8)
        for label in range(10):
            folder = target / split / str(label)
            folder.mkdir(parents=True)
            count = TESTED if split == "test" else (FEW if label % 2 else MANY)
            for place in np.flatnonzero(labels_N == label)[:count]:
                Image.fromarray(images_NHW[place]).save(folder / f"{place}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, metavar="FASHION_MNIST")
    source = parser.parse_args().source
    print("| metric | class weights | winner's balanced accuracy | interval | macro F1 |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_images(source, Path(folder) / "images")
        for metric in ("accuracy", "balanced_accuracy"):
            for weights in ("none", "balanced"):
                result = run(
                    JOB,
                    dataset=f"folder:{folder}/images",
                    data_dir=Path(folder) / "data",
                    storage=folder,
                    run_id=f"{metric}-{weights}",
                    allow_duplicates=True,
                    metric=metric,
                    class_weights=weights,
                )
                [row] = [row for row in result.rows if row.winner]
                low, high = row.interval or (0.0, 0.0)
                print(
                    f"| {metric} | {weights} | {row.test_balanced_accuracy:.4f} | "
                    f"{row.compared_by.words} {low:.4f} to {high:.4f} | {row.test_macro_f1:.4f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
