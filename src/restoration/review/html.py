"""Self-contained HTML pages: templates and their filters. Imported while Snakemake parses, so it must stay light."""

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from restoration.files import atomic


def write_html(target: Path, template: str, values: Mapping[str, Any]) -> None:
    """Fill a *template* of the folder `templates` with *values*, all of which are escaped, and write it."""
    environment = Environment(
        loader=PackageLoader("restoration.review"),
        # Names of videos, files and streams are anybody's.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bytes": in_bytes, "clock": clock, "count_of": count_of, "number": number, "words": words
    }  # fmt: skip
    text = environment.get_template(template).render(values)
    with atomic(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def number(value: Any) -> str:
    """A number in at most four digits, where it has a fraction; "?" where none is known, other values as they are."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "?"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.4g}"


def clock(seconds: float | Fraction) -> str:
    """Seconds as M:SS.sss, with hours where there are some."""
    minutes, rest = divmod(round(float(seconds) * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02d}" if hours else f"{minutes}") + f":{rest / 1000:06.3f}"


def in_bytes(count: float) -> str:
    """A number of bytes in the largest unit of which there is one."""
    power = min(4, int(math.log10(max(1, count))) // 3)
    return f"{count / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


def count_of(count: int, what: str) -> str:
    """So many of *what*, in the plural where there are several."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def words(name: str) -> str:
    """The name of a measure as one reads it."""
    return name.replace("_", " ").replace(".", " ")
