"""The two metrics of the trade-off between style and content."""

from collections.abc import Mapping, Sequence

from nst.metrics import Metric

#: The baseline of a term of the loss, by the input in its name.
_TERMS = {"content": "style", "style": "content"}


def axes(names: Sequence[str], metrics: Mapping[str, Metric]) -> tuple[str, str] | None:
    """Return the first content metric and the first style metric, of held-out layers if possible; None without both.

    A metric is one of content if the style itself is the baseline that it has to beat, and the other way round.
    """
    baselines = {name: metrics[name].baseline if name in metrics else _baseline(name) for name in names}
    contents, styles = (
        [name for name in names if baselines[name] == which] for which in ("style", "content")
    )
    if not contents or not styles:
        return None
    return contents[0], next((name for name in styles if name.endswith("_held_out")), styles[0])


def _baseline(name: str) -> str:
    return _TERMS.get(name.partition("_")[0], "")
