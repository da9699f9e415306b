"""Names of fields and values as Matplotlib shows them, and which fields come first."""

from nst.types import Values


def first(report: Values) -> list[int]:
    """The places of the fields: those that are not averaged over before the others, what follows from them last."""
    fields = report["fields"]
    return sorted(range(len(fields)), key=lambda at: (fields[at]["follows"], fields[at]["replicate"]))


def value(report: Values, field: int, at: int) -> str:
    """What a value of a field is called."""
    return plain(report["fields"][field]["labels"][at]) if at >= 0 else ""


def label(report: Values, field: int) -> str:
    """What a field is called."""
    return plain(report["fields"][field]["label"])


def plain(name: str) -> str:
    """A name as it is: a $ would begin a formula."""
    return name.replace("$", r"\$")
