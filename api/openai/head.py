"""What an answer has in every form and piece: a name, a time, tokens, and its proof."""

import time
import uuid
from dataclasses import dataclass

from api.openai.answering import Count, Told
from api.openai.citing import Link, proof
from rag.views import Json


@dataclass(frozen=True, slots=True)
class Head:
    """What all pieces of an answer have in common, and what makes them.

    Attributes:
        id: of this answer, made up anew, without what tells its form.
        created: seconds since 1970.
        model: as it was asked for.
        sent: tokens of what was asked.
        link: citations to addresses.
        count: of the tokens of a text.
    """

    id: str
    created: int
    model: str
    sent: int
    link: Link
    count: Count

    def written(self, told: Told) -> int:
        """Return the tokens of an answer's text."""
        return self.count(told.text) if told.text else 0

    def ours(self, told: Told) -> Json:
        """Return what our answers carry beyond OpenAI's."""
        return {
            **proof(told.claims, told.citations, self.link),
            "abstained": told.reason is not None,
            "reason": told.reason.value if told.reason else None,
            "method": told.method.value if told.method else None,
        }


def new_head(model: str, sent: int, link: Link, count: Count) -> Head:
    """Return the head of a new answer."""
    return Head(uuid.uuid4().hex, int(time.time()), model, sent, link, count)
