"""What the renderers to text have in common: a method for each kind of block, and running text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from deltarule.documents.document import Block, Figure, Heading, Inline, Lines, Listing, Paragraph, TableBlock


class Renderer(ABC):
    """Writes the blocks of a document; a subclass that forgets a kind of block cannot be made."""

    def __call__(self, block: Block) -> str:
        """What the block is written as."""
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph():
                return self.paragraph(block)
            case Lines():
                return self.lines(block)
            case TableBlock():
                return self.table(block)
            case Figure():
                return self.figure(block)
            case Listing():
                return self.listing(block)

    def inline(self, parts: Iterable[Inline]) -> str:
        """Running text."""
        return "".join(map(self.part, parts))

    @abstractmethod
    def part(self, part: Inline) -> str:
        """A piece of running text: words, or a formula."""

    @abstractmethod
    def heading(self, block: Heading) -> str: ...
    @abstractmethod
    def paragraph(self, block: Paragraph) -> str: ...
    @abstractmethod
    def lines(self, block: Lines) -> str: ...
    @abstractmethod
    def table(self, block: TableBlock) -> str: ...
    @abstractmethod
    def figure(self, block: Figure) -> str: ...
    @abstractmethod
    def listing(self, block: Listing) -> str: ...
