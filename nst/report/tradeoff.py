"""Which two metrics the trade-off of style against content is drawn of."""

from collections.abc import Mapping, Sequence

from nst.metrics import Metric

#: What is no metric, but a term of the loss, is called by what it is of.
_TERMS = {"content": "style", "style": "content"}


def axes(names: Sequence[str], metrics: Mapping[str, Metric]) -> tuple[str, str] | None:
    """The first metric of content, and the first of style, of layers held out if there is one; None without both.

    A metric is of content if the style by itself is what it has to beat, and the other way round.
    """
    beaten = {name: metrics[name].baseline if name in metrics else _of_term(name) for name in names}
    contents, styles = ([name for name in names if beaten[name] == which] for which in ("style", "content"))
    if not contents or not styles:
        return None
    return contents[0], next((name for name in styles if name.endswith("_held_out")), styles[0])


def _of_term(name: str) -> str:
    return _TERMS.get(name.partition("_")[0], "")
