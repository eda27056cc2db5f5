"""Answers that were given before, for as long as memory is granted."""

from collections import OrderedDict
from dataclasses import dataclass

from app.edge.headers import Pairs

_OF_AN_ENTRY = 600  # bytes, about: keys, headers and what Python needs to hold them


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: what it would be known by (`tag`), its headers and its body."""

    tag: bytes
    headers: Pairs
    body: bytes


class Answers:
    """Answers by run and question, no more than `most` bytes of them; what was not asked for longest goes.

    A run never changes, so neither does an answer; which run is asked for is for the caller to know.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()

    def find(self, run_id: str, question: bytes) -> Answer | None:
        answer = self._answers.get((run_id, question))
        if answer is not None:
            self._answers.move_to_end((run_id, question))
        return answer

    def keep(self, run_id: str, question: bytes, answer: Answer) -> None:
        self._size += _size(question, answer)
        before = self._answers.pop((run_id, question), None)
        if before is not None:
            self._size -= _size(question, before)
        self._answers[run_id, question] = answer
        while self._size > self._most:
            (_, oldest), gone = self._answers.popitem(last=False)
            self._size -= _size(oldest, gone)


def _size(question: bytes, answer: Answer) -> int:
    return len(answer.body) + len(question) + _OF_AN_ENTRY
