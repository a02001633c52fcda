"""Measure the embedded colorizer on photos that it never saw, and show them.

    python training/colorizer/evaluate.py PHOTOS config/weights/embedded-colorizer.safetensors OUTPUT

Writes OUTPUT/report.json, OUTPUT/report.md and OUTPUT/sheet-N.png: gray | ours | truth, all held-out photos in order
of their names. The sheets show the photos, so OUTPUT belongs outside the repository.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from photos import HELD_OUT, Floats, Image, lightness_gray, read_photos, rgb_to_chroma
from safetensors.torch import load_file
from skimage.color import deltaE_ciede2000, rgb2lab

from restoration.models.colorizer import Colorizer, from_state, lab_to_rgb, lightness

METRICS = {
    "colourfulness": "Hasler and Süsstrunk 2003; 0 is gray",
    "ciede2000": "mean colour difference from the truth; lower is better",
    "chroma_psnr": "dB, of Cb and Cr in 8 bits; higher is better",
    "right_hue": "share of the truly coloured pixels (chroma over 12) that have colour, within 45° of the true hue",
    "flicker": "mean change of the chroma, in CIELAB units, when noise of 2/255 is added to the gray",
}
COLOURED, COLOURLESS = 12, 4
"""CIELAB chroma from which the truth counts as coloured, and up to which a result counts as colourless."""
THUMBNAIL = (192, 144)
ROWS, COLUMNS = 7, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    network = from_state(load_file(arguments.weights))
    truths = read_photos(arguments.photos, HELD_OUT)
    tint = mean_chroma(read_photos(arguments.photos, "training"))
    ours = {name: colour(photo, predict(network, lightness_gray(photo))) for name, photo in truths.items()}
    results = {
        "gray": {name: colour(photo, np.zeros((2, 1, 1), np.float32)) for name, photo in truths.items()},
        "constant tint": {name: colour(photo, tint) for name, photo in truths.items()},
        "embedded": ours,
        "truth": truths,
    }
    table = {
        method: average([measure(pictures[name], truth) for name, truth in truths.items()])
        for method, pictures in results.items()
    }
    table["embedded"]["flicker"] = average([{"flicker": flicker(network, photo)} for photo in truths.values()])[
        "flicker"
    ]
    report = {"photos": len(truths), "tint": tint.flatten().tolist(), "metrics": METRICS, "results": table}
    (arguments.output / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (arguments.output / "report.md").write_text(markdown(table), encoding="utf-8")
    print(markdown(table))
    rows = [
        np.hstack([thumbnail(results[method][name]) for method in ("gray", "embedded", "truth")]) for name in truths
    ]
    write_sheets(rows, arguments.output)


def predict(network: Colorizer, gray: Floats) -> Floats:
    """Chroma (2, height, width) of gray (height, width) in [0, 1]."""
    with torch.inference_mode():
        return network(torch.from_numpy(gray)[None, None])[0].numpy()


def colour(photo: Image, chroma: Floats) -> Image:
    """*photo* with its own lightness and another chroma, (2, height, width) or broadcastable."""
    gray = torch.from_numpy(lightness_gray(photo))[None, None]
    ab = torch.from_numpy(chroma)[None].expand(1, 2, *photo.shape[:2])
    rgb = lab_to_rgb(torch.cat([lightness(gray), ab], 1))[0]
    return (rgb * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def mean_chroma(photos: dict[str, Image]) -> Floats:
    """The mean a and b of all photos, (2, 1, 1)."""
    return np.mean([rgb_to_chroma(photo).mean((1, 2), keepdims=True) for photo in photos.values()], 0)


def measure(result: Image, truth: Image) -> dict[str, float]:
    """The metrics of one picture. PSNR of the truth itself is infinite, which JSON does not know: NaN becomes null."""
    error = (ycc(result) - ycc(truth))[..., 1:]
    true, ours = rgb_to_chroma(truth), rgb_to_chroma(result)
    coloured = np.hypot(*true) > COLOURED
    aligned = (true * ours).sum(0) >= np.cos(np.pi / 4) * np.hypot(*true) * np.hypot(*ours)
    right = aligned & (np.hypot(*ours) > COLOURLESS)
    difference = deltaE_ciede2000(rgb2lab(result), rgb2lab(truth))  # type: ignore[no-untyped-call]
    return {
        "colourfulness": colourfulness(result),
        "ciede2000": float(difference.mean()),
        "chroma_psnr": float(20 * np.log10(255) - 10 * np.log10((error**2).mean())) if error.any() else np.nan,
        "right_hue": float(right[coloured].mean()) if coloured.any() else np.nan,
    }


def ycc(picture: Image) -> Floats:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb), np.float32)


def colourfulness(picture: Image) -> float:
    """Hasler and Süsstrunk 2003, "Measuring colourfulness in natural images", M^(3)."""
    red, green, blue = np.moveaxis(picture.astype(np.float64), 2, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread, mean = opponents.std((1, 2)), opponents.mean((1, 2))
    return float(np.hypot(*spread) + 0.3 * np.hypot(*mean))


def flicker(network: Colorizer, photo: Image) -> float:
    gray = lightness_gray(photo)
    noise = np.random.default_rng(1).standard_normal(gray.shape, np.float32) * 2 / 255
    change = predict(network, (gray + noise).clip(0, 1)) - predict(network, gray)
    return float(np.hypot(*change).mean())


def average(measures: list[dict[str, float]]) -> dict[str, float | None]:
    """The mean of each metric over the pictures that have it; None where none has."""
    columns = {metric: np.array([each[metric] for each in measures]) for metric in measures[0]}
    return {
        metric: round(float(np.nanmean(values)), 3) if np.isfinite(values).any() else None
        for metric, values in columns.items()
    }


def markdown(table: dict[str, dict[str, float | None]]) -> str:
    lines = [f"| | {' | '.join(METRICS)} |", "|---" * (len(METRICS) + 1) + "|"]
    for method, values in table.items():
        cells = ["" if values.get(metric) is None else f"{values[metric]:.2f}" for metric in METRICS]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def thumbnail(picture: Image) -> Image:
    """The picture inside a box of one size, black around it."""
    scale = min(THUMBNAIL[0] / picture.shape[1], THUMBNAIL[1] / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: THUMBNAIL[1], : THUMBNAIL[0]]
    box = np.zeros((THUMBNAIL[1], THUMBNAIL[0], 3), np.uint8)
    box[: small.shape[0], : small.shape[1]] = small
    return box


def write_sheets(rows: list[Image], folder: Path) -> None:
    """Write *rows* of one size, ROWS times COLUMNS a sheet."""
    for number, start in enumerate(range(0, len(rows), ROWS * COLUMNS), 1):
        page = rows[start : start + ROWS * COLUMNS]
        page += [np.zeros_like(rows[0])] * (ROWS * COLUMNS - len(page))
        columns = [np.vstack(page[index::COLUMNS]) for index in range(COLUMNS)]
        cv2.imwrite(str(folder / f"sheet-{number}.png"), cv2.cvtColor(np.hstack(columns), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
