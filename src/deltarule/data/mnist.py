"""MNIST: found in the data folder, else downloaded from one of two mirrors and checked."""

from __future__ import annotations

import os
from pathlib import Path

from deltarule.data.dataset import Dataset
from deltarule.data.idx_files import IDX_FILES, find_idx, load_idx
from deltarule.data.raw_files import describe
from deltarule.errors import DataFileError, InputError
from deltarule.registry import import_extra

MNIST = "MNIST: 60,000 + 10,000 handwritten digits of 28 × 28 pixels (LeCun et al. 1998; CC BY-SA 3.0)"

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

# SHA-256 of the gzipped files, as published
CHECKSUMS = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def data_home() -> Path:
    """Return the folder of downloads: ``$DELTARULE_DATA_HOME``, else the user's cache folder.

    Raises
    ------
    InputError
        If there is neither.
    """
    home = os.environ.get("DELTARULE_DATA_HOME")
    folder = Path(home or import_extra("pooch", "data").os_cache("deltarule"))
    if not home and not folder.is_absolute():
        raise InputError("there is no home folder to keep downloads in: set DELTARULE_DATA_HOME to a folder")
    return folder


def load_mnist() -> Dataset:
    """Load MNIST with its test part; files that are missing from ``mnist`` in the data folder are downloaded.

    Returns
    -------
    Dataset
        With inputs (60000, 28, 28) of uint8, and a test part of 10,000 rows.

    Raises
    ------
    DataFileError
        If a file can neither be found nor downloaded, or is not the right file.

    Examples
    --------
    >>> len(load_mnist().test)  # doctest: +SKIP
    10000
    """
    folder = data_home() / "mnist"
    for files in IDX_FILES.values():
        for name in files:
            if find_idx(folder, name) is None:
                fetch(name, folder)
    dataset = load_idx(folder, "mnist", MNIST)
    sizes = [part.X.shape for part in (dataset, dataset.test) if part is not None]
    if sizes != [(60000, 784), (10000, 784)]:
        raise DataFileError(
            folder, f"expected 60,000 and 10,000 images of 28 × 28, found {sizes}; remove these files"
        )
    return dataset


def fetch(name: str, folder: Path) -> Path:
    """Download one gzipped file into ``folder``; it appears there only once its checksum is right.

    Raises
    ------
    DataFileError
        If no mirror gives the right file; the message says why, mirror by mirror.
    """
    pooch = import_extra("pooch", "data")
    file, reasons = f"{name}.gz", []
    for mirror in MIRRORS:
        try:
            return Path(pooch.retrieve(f"{mirror}{file}", CHECKSUMS[name], fname=file, path=folder))
        except OSError as error:  # no network, no space
            reasons.append(f"{mirror}: {describe(error)}")
        except ValueError:
            reasons.append(f"{mirror}: the file that it sent has the wrong checksum")
    raise DataFileError(
        folder / file, f"cannot be downloaded: {'; '.join(reasons)}; get the file elsewhere and put it there"
    )
