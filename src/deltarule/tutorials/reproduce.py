"""What ``deltarule reproduce`` runs: all that the tutorials did, in their order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from deltarule.data import Dataset, load_mnist
from deltarule.errors import DataFileError, InputError, MissingExtraError
from deltarule.registry import record
from deltarule.tutorials.comparisons import Comparison
from deltarule.tutorials.references import one_step, product_of_sums, rat42
from deltarule.tutorials.t1 import t1
from deltarule.tutorials.t2 import t2
from deltarule.tutorials.t3 import t3
from deltarule.tutorials.t4 import t4
from deltarule.tutorials.t5_classes import iris, xor
from deltarule.tutorials.t5_gates import gates
from deltarule.tutorials.t5_mnist import check_images, mnist_as_published, mnist_well

#: The names by which reproductions are chosen.
TUTORIALS = ("T1", "T2", "T3", "T4", "T5", "one_step", "rat42", "product_of_sums")


@record
class Reproduction:
    """A computation of a tutorial, one of :data:`TUTORIALS`, to be repeated."""

    tutorial: str
    title: str
    compute: Callable[[], list[Comparison]]

    def run(self) -> list[Comparison]:
        """Return the comparisons; or one that says why there are none, where data are not to be had."""
        try:
            return self.compute()
        except (DataFileError, MissingExtraError) as error:
            return [Comparison(self.tutorial, self.title, None, None, None, f"Not run: {error}.")]


def reproductions(*, quick: bool = False, images: Dataset | None = None) -> list[Reproduction]:
    """Return all reproductions, not yet run.

    Parameters
    ----------
    quick : bool
        Whether to shorten long experiments to fewer updates and seeds; their rows say so.
    images : Dataset, optional
        The images on which to train T5's largest network, instead of MNIST from the data folder or the
        download.

    Raises
    ------
    InputError
        If the images do not fit that network.

    Examples
    --------
    >>> rat42 = reproductions()[-2]
    >>> rat42.title, round(rat42.run()[0].ours, 10)
    ("NIST's certified regression Rat42", 8.0565229338)
    """
    given = None if images is None else check_images(images)

    def mnist() -> Dataset:
        try:
            return load_mnist() if given is None else given
        except InputError as error:
            raise DataFileError("mnist", str(error)) from None

    as_published = Reproduction("T5", "MNIST, the source's settings", lambda: mnist_as_published(mnist()))
    return [
        Reproduction("T1", "a 2-2-2 sigmoid network, neuron by neuron", t1),
        Reproduction("T2", "matrices: a 3-4-1 network on a truth table", t2),
        Reproduction("T3", "the notebook: [2, 3, 1] in column vectors", t3),
        Reproduction("T4", "the hand calculation: 2-2-2, factor by factor", t4),
        Reproduction("T5", "one layer: AND, OR, NOT", partial(gates, quick)),
        Reproduction("T5", "two layers: XOR", partial(xor, quick)),
        Reproduction("T5", "three layers: iris", partial(iris, quick)),
        *([] if quick else [as_published]),
        Reproduction("T5", "MNIST, good settings", lambda: mnist_well(mnist(), quick)),
        Reproduction("one_step", "one SGD step beside scikit-learn's", one_step),
        Reproduction("rat42", "NIST's certified regression Rat42", rat42),
        Reproduction("product_of_sums", "a course's exercise, gradients passed back", product_of_sums),
    ]
