"""A restored clip with all reports on it, some of them hostile, and the pages that are made of them."""

import json

import numpy as np

from media_factory import pictures, wishes, write_clip
from restoration.faces.record import record
from restoration.media.codecs import EncodeSettings
from restoration.media.delivery import delivery
from restoration.media.encode import encode
from restoration.media.probe import probe
from restoration.review.index import write_index
from restoration.review.page import write_page

HOSTILE = """<script>alert("it's")</script>&amp;"""
SOURCE = '"it\'s" <b>&amp;.mkv'
NETWORK = {"model": "GFPGANv1.4", "task": "restore_faces", "licence": "Apache-2.0", "sha256": "ab" * 32}
COLOURS = {"model": "deoldify-video", "task": "colorize", "licence": "MIT", "sha256": "cd" * 32}
SPEC = {
    "stills": [],
    "stages": {"colorize": [COLOURS], "faces": [NETWORK]},
    "made_by": ["colorize deoldify-video", "faces GFPGANv1.4"],
}
CURRENT = ["probe.0123456789", "colorize.0123456789", "faces.0123456789", "encode.0123456789", "encode.copy.0123456789"]


def restored_clip(folder, frames=None):
    """A clip of three shots and its enlargement: source, description, timeline, restored file, delivery report."""
    frames = pictures(60, shots=3) if frames is None else frames
    folder.mkdir(parents=True, exist_ok=True)
    source = write_clip(folder / SOURCE, frames, codec="ffv1", pix_fmt="bgr0", bt709=False)
    description, timeline = probe(source, wishes())
    restored, report = folder / "clip.mp4", folder / "clip.mp4.delivery.json"
    settings = EncodeSettings("h264", 4, "ultrafast")
    larger = (255 - frames).repeat(2, axis=1).repeat(2, axis=2)
    ledger, damage = encode(restored, larger, timeline, source, description, settings, trimmed=False, strict=False)
    report.write_text(json.dumps(delivery(restored, source, description, ledger, [*damage, HOSTILE])))
    return source, description, timeline, restored, report


def faces_of(timeline):
    """The record of two faces, the second of which was left alone."""
    tracks = [
        {
            "shot": shot, "first": first, "boxes": [[8.0, 8, 24, 24 + 4 * shot]] * 10, "landmarks": [[[0, 0]] * 5] * 10,
            "scores": [0.99] * 10, "jitter": [0.5, 0.1],
        }
        for shot, first in ((0, 2), (1, 25))
    ]  # fmt: skip
    verdicts = [
        {"share": share, "similarity": 0.8, "change": [0, 0, 0], "unrest": [2.5, 1.5], "edge": 60}
        for share in (1.0, 0.0)
    ]
    entries = [
        {"frame": track["first"] + number, "face": face, "box": box, "size": box[3] - box[1], "identity_distance": None}
        for face, track in enumerate(tracks)
        for number, box in enumerate(track["boxes"])
    ]
    return record({"tracks": tracks, "verdicts": verdicts}, entries, {"model": NETWORK}, timeline)


def write_pages(folder, video="clip"):
    """The page of a clip with everything on it, its card, and the list of it and four that went otherwise."""
    source, description, timeline, restored, report = restored_clip(folder)
    faces, repairs, table = folder / "faces.json", folder / "repairs.json", folder / "measures.tsv"
    suffered = {"first": 0, "last": 59, "weave": 0.8, "flicker": 0.07, "noise": 3, "scratches": 1}
    settings = {
        "weave": "fill",
        "flicker": 1,
        "dust": 0.5,
        "scratches": True,
        "grain": 0.5,
        "blocks": 5,
        "blur": 1,
        "halo": 0,
    }
    replaced = [{"dust": 9, "scratches": 8, "border": 7, "painted": 6}]
    repairs.write_text(json.dumps({"settings": {"repair": settings}, "shots": [suffered], "frames": replaced}))
    faces.write_text(json.dumps(faces_of(timeline)))
    finding = {
        "measure": "luma_flicker",
        "level": "warning",
        "found": 3.5,
        "allowed": 2,
        "frame": 7,
        "time": 0.28,
        "says": HOSTILE,
    }
    measures = {"video": {"psnr": 31.25, HOSTILE: None}, "shots": []}
    flicker = np.sin(np.arange(60) / 5)
    lines = [f"{n}\t{n / 25}\t{n // 20}\t{value:.3f}\t{HOSTILE}" for n, value in enumerate(flicker)]
    table.write_text("\n".join(["frame\ttime\tshot\tluma_flicker\tnote", *lines]))
    logs = folder / "logs"
    for name in (
        "colorize.0123456789/a",
        "colorize.0123456789/b",
        "colorize.9999999999/a",
        "encode.mp4",
        "encode.copy.mkv",
    ):
        (logs / name).parent.mkdir(parents=True, exist_ok=True)
        (logs / f"{name}.log").write_text("Took 2.00 s, 3.00 CPU s, 100 MB\n")
    page, card = folder / "page.html", folder / "cards" / "clip" / "page.json"
    write_page(
        page, card, video, SPEC, source, description, timeline, restored, delivery=report, faces=faces, repairs=repairs,
        logs=logs, current=CURRENT, measures=measures, table=table, findings=[finding],
        provenance=folder / "clip.provenance.json",
    )  # fmt: skip
    other = folder / "cards" / "short" / "page.json"
    other.parent.mkdir()
    other.write_text(json.dumps(json.loads(card.read_text()) | {"seconds": 0.4, "size": [1000, 20], "warnings": []}))
    stale = folder / "cards" / "failed" / "page.json"
    stale.parent.mkdir()
    stale.write_text(card.read_text())
    rows = [
        {"video": "failed", "status": "failed", "why": HOSTILE, "log": "x.log"},
        {"video": HOSTILE, "status": "not begun", "why": "", "log": ""},
        {"video": "clip", "status": "done", "why": "", "log": ""},
        {"video": "short", "status": "doubtful", "why": "ssim is 0.5", "log": "judge.log"},
        {"video": "cardless", "status": "done", "why": "", "log": ""},
    ]
    write_index(rows, folder / "cards", folder / "index.html")
    return page, card, folder / "index.html"
