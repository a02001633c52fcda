"""What was repaired of a video, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from restoration.review.html import count_of

REPLACED = {
    "dust": "Dust and dirt",
    "scratches": "Vertical scratches",
    "border": "Borders that lacked",
    "painted": "Scratches, by a network,",
}
"""What entries of a record count the pixels of."""


def summarized(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell what a *record* says."""
    settings, shots, frames = record["settings"].get("repair", {}), record["shots"], record["frames"]
    if settings.get("weave", "none") != "none":
        held = [shot["weave"] for shot in shots if shot.get("weave")]
        yield (
            f"{count_of(len(held), 'shot')} held still: up to {max(held):.1f} pixels (rms) off in the gate."
            if held
            else "No shot was unsteady in the gate."
        )
    if settings.get("flicker"):
        evened = [shot["flicker"] for shot in shots if shot.get("flicker")]
        yield (
            f"{count_of(len(evened), 'shot')} evened: exposure varied by up to {max(evened):.1%} (rms)."
            if evened
            else "No shot flickered."
        )
    for cause, words in REPLACED.items():
        touched = [frame[cause] for frame in frames if frame.get(cause)]
        if touched:
            yield f"{words} replaced in {count_of(len(touched), 'frame')}: {count_of(sum(touched), 'pixel')}."
    if settings.get("grain"):
        noise = max(shot.get("noise", 0) for shot in shots)
        yield f"Grain and noise of up to {noise:.1f} of 255 averaged along the motion, by {settings['grain']:.0%}."
    if settings.get("blocks"):
        yield f"Blocks and ringing of a codec, of a quantizer of {settings['blocks']:g}, taken away everywhere."
    if settings.get("blur"):
        yield f"A blur of {settings['blur']:g} pixels and halos of {settings['halo']:.0%} taken back everywhere."
