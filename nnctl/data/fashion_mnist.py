"""Where Fashion-MNIST lies and what it is made of."""

from __future__ import annotations

from nnctl.data.download import Source
from nnctl.data.idx_set import IdxSet

FASHION_MNIST = IdxSet(
    kind="fashion_mnist",
    title="Fashion-MNIST",
    folder="FashionMNIST",
    addresses=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),  # the SHA-256 makes up for http
    files={
        "train": (
            Source(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            Source(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
        ),
        "test": (
            Source(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            Source(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
    },
)
