#!/usr/bin/env python3
"""Encode the restored chunks of a video, with its sound, or the restored still image, into the delivered file."""

import json
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from restoration.faces.record import restored_boxes
from restoration.files import atomic
from restoration.film.grain import grainy
from restoration.frames import Frame, Picture, enriched, plain
from restoration.media.chunks import read_chunk, read_pictures
from restoration.media.codecs import EncodeSettings
from restoration.media.delivery import delivery
from restoration.media.encode import encode
from restoration.media.kind import is_still
from restoration.media.label import faces_labelled, labelled
from restoration.media.still_delivery import deliver_still, still_delivery
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside
from restoration.provenance.sign import sign
from restoration.provenance.software import how_made


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--first-chunk", required=True, type=Path, help="the others lie beside it")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    parser.add_argument("--delivery", required=True, type=Path, help="JSON report to write")
    parser.add_argument("--certificate", nargs="?", type=Path, help="that of a signature")
    parser.add_argument("--key", nargs="?", type=Path, help="its private key")
    parser.add_argument("--faces", nargs="?", type=Path, help="the record of its faces, if these get a label")
    args = job.parse(parser)
    description = json.loads(args.probe.read_text())
    chunks = beside(args.first_chunk, description["shots"], args.chunk_frames)
    label, face_label = args.spec["label"], args.spec["face_label"]
    boxes = restored_boxes(json.loads(args.faces.read_text())) if face_label else {}
    grain, width = args.spec["grain"], description["size"][0]

    def grain_of(picture: Picture) -> dict[str, float]:
        """Its strength, and how much larger it is in a picture that was enlarged."""
        return {"deviation": grain, "size": picture.shape[1] / width}

    sealing = {"mark": args.spec["mark"]}
    if "sign" in args.spec:
        facts = {"spec": args.spec, "certificate": args.certificate, "key": args.key}
        sealing["seal"] = partial(sign, **facts, source=description["source"]["sha256"])
    if is_still(args.source):
        pictures: Iterable[Picture] = chain.from_iterable(map(read_pictures, chunks))
        if grain:
            pictures = (enriched(grainy(plain(one), 0, **grain_of(one)), one) for one in pictures)
        pictures = faces_labelled(pictures, face_label, boxes, width) if boxes else pictures
        (picture,) = labelled(pictures, label) if label else pictures
        ledger = deliver_still(args.output, picture, args.source, description, args.spec.get("quality"), **sealing)
        report = still_delivery(args.output, args.source, description, ledger)
    else:
        frames: Iterable[Frame] = chain.from_iterable(map(read_chunk, chunks))
        timeline, settings = Timeline.read(args.timeline), EncodeSettings.of(args.spec)
        if grain:
            frames = (grainy(frame, number, **grain_of(frame)) for number, frame in enumerate(frames))
        frames = faces_labelled(frames, face_label, boxes, width) if boxes else frames
        if label:
            frames = labelled(frames, label, timeline.frames_within(args.spec["label_seconds"]))
        options = {"trimmed": args.spec["trimmed"], "strict": args.spec["strict"], **sealing}
        ledger, damage = encode(args.output, frames, timeline, args.source, description, settings, **options)
        report = delivery(args.output, args.source, description, ledger, damage)
    with atomic(args.delivery) as file:
        file.write_text(json.dumps(report | how_made(chunks), indent=1))


if __name__ == "__main__":
    job.run(main)
