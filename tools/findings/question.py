"""An ablation as a question: what was published about it, and claims that figures can confirm or refute."""

from typing import NamedTuple

from nst.types import Values

#: Values that a trial must have, by dotted field name; `result` is `run` or the name of a baseline.
Having = Values


class Claim(NamedTuple):
    """The claim that a figure changes in a direction from trials with `a` to otherwise equal trials with `b`.

    Attributes:
      what: The text for the table of the page.
      a: The values of the first side.
      b: The values of the second side.
      figure: The name of a metric or of a term of the loss.
      direction: `lower`, `higher`, or `same`: a change of less than a tenth.
    """

    what: str
    a: Having
    b: Having
    figure: str
    direction: str


class Question(NamedTuple):
    """An ablation: the name of its config, its question, published answers with sources, and measurable claims.

    `fields` are the fields whose values label the images of the page.
    """

    name: str
    title: str
    published: str
    claims: tuple[Claim, ...]
    fields: tuple[str, ...]
