"""Data sets of small pictures: MNIST, and Fashion-MNIST, which has its shape.

They are found in a folder, in a package of the system (Debian's
``dataset-fashion-mnist``), or downloaded. Every file that is downloaded is checked
against the SHA-256 of its contents.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.data.dataset import Batch, Dataset, Indices
from dotori.data.idx import read_idx
from dotori.data.transfer import download as download_file
from dotori.errors import DataError, FormatError

if TYPE_CHECKING:
    from dotori.data.files import Path

# Files of the largest of these sets unpack to 47 million bytes.
_LIMIT = 1 << 27


class MNIST(Dataset[tuple[Any, Any]]):
    """Handwritten digits: 60,000 pictures of 28 x 28 pixels to train, 10,000 to test.

    Of Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied
    to document recognition", Proceedings of the IEEE 86 (1998). A sample is a picture,
    float32 of shape (1, 28, 28) between 0 and 1, and its class, an integer.

    Parameters
    ----------
    root : str or PathLike, optional
        The folder with the four files, or the one that PyTorch's ``torchvision`` was
        given. Otherwise an installed package is looked for, then what an earlier
        download left in ``~/.cache/dotori``.
    train : bool, default True
        The training samples, or those of the test.
    transform, target_transform : callable, optional
        Applied to each picture, and to each class.
    download : bool, default False
        Download the two files into `root`, or into ``~/.cache/dotori``, if they are
        not there.

    Attributes
    ----------
    data : Tensor, shape (n, 28, 28), uint8
    targets : Tensor, shape (n,), int64
    classes : list of str

    Raises
    ------
    DataError
        If the files are not there; the message says where it looked.
    FormatError
        If a file is damaged, or of another shape.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> pictures = bytes([0, 0, 8, 3, *[0, 0, 0, 2], *[0, 0, 0, 28] * 2])
    >>> _ = (folder / "t10k-images-idx3-ubyte").write_bytes(pictures + bytes(2 * 784))
    >>> classes = bytes([0, 0, 8, 1, *[0, 0, 0, 2], 7, 3])
    >>> _ = (folder / "t10k-labels-idx1-ubyte").write_bytes(classes)
    >>> digits = MNIST(folder, train=False)
    >>> picture, number = digits[1]
    >>> len(digits), tuple(picture.shape), number
    (2, (1, 28, 28), 3)
    """

    classes: ClassVar[Sequence[str]] = [str(digit) for digit in range(10)]
    _folder: ClassVar[str] = "mnist"
    _url: ClassVar[str] = "https://storage.googleapis.com/cvdf-datasets/mnist/"
    _sha256: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }
    _takes_ranges = True

    def __init__(
        self,
        root: Path | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.train = train
        self.transform, self.target_transform = transform, target_transform
        part = "train" if train else "t10k"
        names = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
        files = [self._find(root, name, download) for name in names]
        self._pictures = read_idx(files[0], limit=_LIMIT)
        classes = read_idx(files[1], limit=_LIMIT)
        _check(files, self._pictures, classes, len(self.classes))
        self._classes = classes.astype(np.int64)

    @property
    def data(self) -> Tensor:
        """The pictures as they are in the file: uint8, shape (n, 28, 28)."""
        return wrap(self._pictures)

    @property
    def targets(self) -> Tensor:
        """The classes: int64, shape (n,)."""
        return wrap(self._classes)

    def __getitem__(self, index: int, /) -> tuple[Any, Any]:
        picture: Any = wrap(_scaled(self._pictures[index]))
        target: Any = int(self._classes[index])
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target

    def __getitems__(self, indices: Indices | Sequence[int]) -> list[Any] | Batch:
        """A batch by one call a column, unless each sample is to be transformed."""
        chosen = np.asarray(indices, dtype=np.int64)
        if self.transform is not None or self.target_transform is not None:
            return [self[index] for index in chosen.tolist()]
        pictures = wrap(_scaled(self._pictures.take(chosen, 0)))
        return Batch([pictures, wrap(self._classes.take(chosen))])

    def __len__(self) -> int:
        return len(self._classes)

    def __repr__(self) -> str:
        part = "train" if self.train else "test"
        return f"{type(self).__name__}({part}, {len(self)} pictures)"

    @classmethod
    def _find(cls, root: Path | None, name: str, download: bool) -> str:
        folders = cls._folders(root)
        for folder in folders:
            for file in (os.path.join(folder, name + end) for end in ("", ".gz")):
                if os.path.isfile(file):
                    return file
        target = os.path.join(folders[0 if root is not None else -1], f"{name}.gz")
        if not download:
            raise DataError(
                f"{cls.__name__}: there is no file {name!r} or {name + '.gz'!r} in "
                f"{' or '.join(map(repr, folders))}; give the folder that holds it as "
                "root=, or download=True"
            )
        sha256 = cls._sha256[name]
        download_file(f"{cls._url}{name}.gz", target, sha256=sha256, limit=_LIMIT)
        return target

    @classmethod
    def _folders(cls, root: Path | None) -> list[str]:
        if root is not None:
            base = os.fspath(root)
            return [base, os.path.join(base, cls.__name__, "raw")]
        cache = os.path.expanduser("~/.cache/dotori")
        return [
            os.path.join("/usr/share/datasets", cls._folder),
            os.path.join(cache, cls._folder),
        ]


def _scaled(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(..., height, width) in 0 ... 255 -> (..., 1, height, width) in [0, 1]."""
    return np.multiply(pictures[..., None, :, :], np.float32(1 / 255))


def _check(
    files: list[str], pictures: NDArray[Any], classes: NDArray[Any], n_classes: int
) -> None:
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (28, 28):
        raise FormatError(
            f"{files[0]!r}: pictures of uint8 and shape (n, 28, 28) were wanted, got "
            f"{pictures.dtype} of shape {pictures.shape}"
        )
    if classes.dtype != np.uint8 or classes.shape != pictures.shape[:1]:
        raise FormatError(
            f"{files[1]!r}: {len(pictures)} classes of uint8 were wanted, as many as "
            f"pictures, got {classes.dtype} of shape {classes.shape}"
        )
    if classes.size and classes.max() >= n_classes:
        raise FormatError(
            f"{files[1]!r}: classes below {n_classes} were wanted, got {classes.max()}"
        )


class FashionMNIST(MNIST):
    """Articles of clothing: 60,000 pictures of 28 x 28 pixels to train, 10,000 to test.

    Of H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for
    benchmarking machine learning algorithms" (2017). Parameters and attributes are
    those of :class:`MNIST`; Debian's package ``dataset-fashion-mnist`` is found.
    """

    classes: ClassVar[Sequence[str]] = [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ]
    _folder: ClassVar[str] = "fashion-mnist"
    _url: ClassVar[str] = (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
    )
    _sha256: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    }
