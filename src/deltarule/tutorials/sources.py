"""Where the examples come from: authors, titles, addresses and licences, as far as they are known."""

from __future__ import annotations

from deltarule.registry import record


@record
class PublishedSource:
    """Who published an example, under which title and licence, and where."""

    words: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.words} {self.address}".rstrip()


#: The source of each of :data:`~deltarule.tutorials.TUTORIALS`.
SOURCES = {
    "T1": PublishedSource(
        "Matt Mazur, A Step by Step Backpropagation Example, 2015. No licence stated. The table of losses "
        "that is wrong is not his: it was printed with a later program, whose author we do not know.",
        "https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/",
    ),
    "T2": PublishedSource(
        "James Loy, How to build your own Neural Network from scratch in Python, Towards Data Science, 2018. "
        "No licence stated.",
        "https://towardsdatascience.com/how-to-build-your-own-neural-network-from-scratch-in-python-68998a08e4f6",
    ),
    "T3": PublishedSource(
        "Notation after Michael Nielsen, Neural Networks and Deep Learning, chapter 2, Determination Press, "
        "2015. Licence: CC BY-NC 3.0.",
        "http://neuralnetworksanddeeplearning.com/chap2.html",
    ),
    "T4": PublishedSource(
        "A hand calculation in the style of Matt Mazur's, with different numbers. We do not know its author."
    ),
    "T5": PublishedSource(
        "zhujian, in Chinese: 使用单层神经网络OneNet…, 使用2层神经网络TwoNet…, "
        "使用3层神经网络ThreeNet…. No licence stated.",
        "https://blog.zhujian.life/posts/ba2ca878.html",
    ),
    "one_step": PublishedSource(
        "Computed with scikit-learn 1.9.1. Licence: BSD.", "https://scikit-learn.org"
    ),
    "rat42": PublishedSource(
        "National Institute of Standards and Technology, Statistical Reference Datasets, Rat42. In the "
        "public domain.",
        "https://www.itl.nist.gov/div898/strd/nls/data/ratkowsky2.shtml",
    ),
    "product_of_sums": PublishedSource(
        "An exercise of 人工智能导论：模型与算法, Zhejiang University, section 8.3. We do not know who "
        "first wrote the solution that passes gradients back.",
        "https://www.icourse163.org/course/ZJU-1003377027",
    ),
}
