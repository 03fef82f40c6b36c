"""`mnist`: 60,000 + 10,000 grey scans of handwritten digits, 28 x 28.

LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998).
"""

from trainables.datasets.source import SourceKind
from trainables.datasets.sources._idx import IdxDataset, idx_files, open_idx

MNIST = IdxDataset(
    name="mnist",
    folder="MNIST/raw",
    files=idx_files(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    class_names=tuple("0123456789"),
)
SOURCE = SourceKind(
    help="70,000 grey scans of digits of 28x28, downloaded when missing",
    open=lambda spec, data_dir: open_idx(MNIST, data_dir),
)
