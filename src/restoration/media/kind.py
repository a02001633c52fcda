"""What kind of source a file is, by its name alone: the workflow asks before any file is opened."""

from pathlib import Path

STILLS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".jp2"}


def is_still(source: Path | str) -> bool:
    """Whether *source* is a still image, whose result is an image, too."""
    return Path(source).suffix.lower() in STILLS
