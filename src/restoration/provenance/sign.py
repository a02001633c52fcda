"""C2PA signatures (Content Credentials): whose a file is, what was done to it, and that it has not changed since."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.media.identity import proved
from restoration.media.mark import SOURCE_TYPE
from restoration.version import VERSION

ALGORITHMIC = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
"""IPTC's word for pictures that programs changed, none of which had learned anything."""
TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".tif": "image/tiff",
}
COLOURS = "c2pa.color_adjustments"
ACTIONS = {"colorize": COLOURS, "steer": COLOURS, "stabilize": COLOURS, "upscale": "c2pa.resized"}
"""C2PA's words for what stages do, as far as there are more telling ones than "edited"."""
SIGNATURE = ".c2pa"
"""What is added to a file's name for the signature that lies beside it."""
BELIEVED = ("Valid", "Trusted")


def signature(path: Path, target: Path, spec: Mapping[str, Any], certificate: Path, key: Path, source: str) -> None:
    """Write the signature of the Matroska file *path* to *target*; see `sign`."""
    with atomic(target) as temporary:
        temporary.write_bytes(_signed(path, None, spec, certificate, key, source))


def sign(path: Path, spec: Mapping[str, Any], certificate: Path, key: Path, source: str) -> None:
    """Sign the file *path* in place, as *spec*, that of the step, says: `sign` (sha256 of the certificate's file, alg,
    timestamp_url) and `claims` (the stages with their networks). *source* is the SHA-256 of the original.

    The files of *certificate* (PEM, the signer's first) and *key* are only read. RestorationError where they do not
    serve.
    """
    with atomic(path) as signed:
        _signed(path, signed, spec, certificate, key, source)


def _signed(
    path: Path, target: Path | None, spec: Mapping[str, Any], certificate: Path, key: Path, source: str
) -> bytes:
    """The signature of *path*; with a *target* a copy that holds it is written there."""
    import c2pa

    about = spec["sign"]
    chain = proved(certificate, about["certificate"]).read_bytes()
    manifest = {
        "claim_generator_info": [{"name": "restoration", "version": VERSION}],
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": _actions(spec["claims"])}},
            {"label": "restoration.source", "data": {"sha256": source}},
        ],
    }
    # A thumbnail would be a second picture, larger than many a result.
    context = c2pa.Context.from_dict({"version": 1, "builder": {"thumbnail": {"enabled": False}}})
    info = c2pa.C2paSignerInfo(about["alg"].encode(), chain, key.read_bytes(), about["timestamp_url"].encode() or None)
    try:
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(manifest), context) as builder:
            if target:
                with path.open("rb") as original, target.open("w+b") as copy:
                    return bytes(builder.sign(signer, TYPES[path.suffix], original, copy))
            builder.set_no_embed()
            # What comes out beside the signature is the same file.
            with path.open("rb") as original, TemporaryFile(dir=path.parent) as spare:
                return bytes(builder.sign(signer, TYPES[path.suffix], original, spare))
    except c2pa.C2paError as error:
        raise RestorationError(
            f"{path.name}: cannot be signed ({error}). Check sign.certificate (a chain, the signer's first, meant for "
            "signing: docs/provenance.md), sign.key, sign.alg and sign.timestamp_url"
        ) from error


def _actions(claims: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    learned = any(claim["networks"] for claim in claims)
    ours = {"name": "restoration", "version": VERSION}
    kind = SOURCE_TYPE if learned else ALGORITHMIC
    return [{"action": "c2pa.created", "softwareAgent": ours, "digitalSourceType": kind}] + [
        {
            "action": ACTIONS.get(claim["stage"], "c2pa.edited"),
            "softwareAgent": ours,
            "parameters": {"stage": claim["stage"], "networks": claim["networks"]},
        }
        for claim in claims
    ]


def signature_problems(path: Path) -> list[str]:
    """What is wrong with the signature that *path* must hold, or a Matroska file must have beside it."""
    try:
        import c2pa
    except ImportError:
        return ["its signature cannot be checked without c2pa: pip install c2pa-python"]
    beside = path.with_name(path.name + SIGNATURE)
    if path.suffix == ".mkv" and not beside.exists():
        return [f"its signature {beside.name} is missing"]
    try:
        with (
            path.open("rb") as file,
            c2pa.Reader(
                TYPES[path.suffix], file, manifest_data=beside.read_bytes() if path.suffix == ".mkv" else None
            ) as reader,
        ):
            if reader.get_validation_state() in BELIEVED:
                return []
            found = json.loads(reader.json()).get("validation_status", [])
    except c2pa.C2paError as error:
        return [f"its signature cannot be read ({error})"]
    # That nobody vouches for the signer is for people to judge: archives sign with certificates of their own.
    codes = [status["code"] for status in found if status["code"] != "signingCredential.untrusted"]
    return [f"its signature is not valid ({', '.join(codes)})"]
