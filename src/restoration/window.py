"""Frames with their neighbours, for stages that look at some: a fixed number, within the shot."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar


class Placed(Protocol):
    """Something at a place in a video: its number and its shot's."""

    @property
    def number(self) -> int: ...

    @property
    def shot(self) -> int: ...


P = TypeVar("P", bound=Placed)


def windows(items: Iterable[P], wanted: range, reach: int) -> Iterator[tuple[P, list[P], list[P]]]:
    """Yield each of the *wanted* ones among *items*, which follow one another, with those of its shot that are at most
    *reach* before it, and those after it, the nearest first.

    For a result that does not depend on chunks, *items* must hold *reach* more on either side, as far as the video has
    them.
    """
    window: list[P] = []
    source = iter(items)
    for number in wanted:
        while not window or window[-1].number < number + reach:
            if (following := next(source, None)) is None:
                break
            window.append(following)
        window = [near for near in window if near.number >= number - reach]
        middle = next(near for near in window if near.number == number)
        near = [other for other in window if other.shot == middle.shot]
        yield (
            middle,
            [other for other in reversed(near) if other.number < number],
            [other for other in near if other.number > number],
        )
