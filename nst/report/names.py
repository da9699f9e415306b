"""Names of fields and values as Matplotlib shows them, and the order of fields."""

from nst.types import Values


def first(report: Values) -> list[int]:
    """Return the indices of the fields: first those not averaged over, last those that follow from others."""
    fields = report["fields"]
    return sorted(range(len(fields)), key=lambda at: (fields[at]["follows"], fields[at]["replicate"]))


def value(report: Values, field: int, at: int) -> str:
    """Return the label of a value of a field; empty if a trial has none."""
    return plain(report["fields"][field]["labels"][at]) if at >= 0 else ""


def label(report: Values, field: int) -> str:
    """Return the label of a field."""
    return plain(report["fields"][field]["label"])


def plain(name: str) -> str:
    """Escape a name for Matplotlib, where a $ begins a formula."""
    return name.replace("$", r"\$")
