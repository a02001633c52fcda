"""A delivered video with its record, and a certificate to sign with."""

import datetime
import json
from fractions import Fraction

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from media_factory import pictures, write_clip
from restoration.media.identity import sha256
from restoration.media.mark import mark_video
from restoration.media.timeline import Timeline
from restoration.pipeline.validate import read_yaml
from restoration.provenance.record import build_record

FRAMES = 6


@pytest.fixture(scope="session")
def schema(request):
    return read_yaml(request.config.rootpath / "workflow" / "schemas" / "provenance.schema.yaml")


class Delivered:
    """`folder` holds the files of the video "a", `record` is what `build_record` says of them."""

    def __init__(self, folder, source):
        self.folder, self.source = folder, source
        write_clip(source, pictures(FRAMES))
        write_clip(folder / "a.mp4", pictures(FRAMES))
        mark_video(folder / "a.mp4")
        self.report = {
            "frames": FRAMES,
            "result": {"size": [64, 48], "codec": "h264", "container": "mp4"},
            "frames_sha256": "f" * 64,
            "made_with": ["upscale: PyTorch 2 on cpu, fp32"],
            "software": {"restoration": "1", "python": "3.11", "ffmpeg": "8"},
        }
        network = {"task": "upscale", "scale": 2, "licence": "MIT", "format": "pth", "sha256": "a" * 64}
        self.spec = {
            "code": "0",
            "steps": [
                {"step": "probe", "code": "1", "start": None},
                {"step": "frames", "code": "2"},
                {"step": "colorize", "code": "3", "force": False, "model": "paint", "weights": ["b" * 64]},
                {"step": "upscale", "code": "4", "model": "sharp", "weights": ["a" * 64], "conversion": "5"},
                {"step": "encode", "code": "6", "container": "mp4", "mark": True},
            ],
            "rerun": {
                "noncommercial": False,
                "recipe": {"film": {"upscale": {"model": "sharp"}, "colorize": {"model": "paint"}}},
                "row": {"video": "a", "source": "original.mp4", "recipe": "film", "start": 1.5, "end": None},
                "models": {
                    "sharp": network | {"sources": [{"wheel": "w", "file": "f"}]},
                    "paint": network | {"sha256": "b" * 64, "sources": [{"file": "own.pth"}]},
                },
            },
        }
        self.write()

    @property
    def path(self):
        return self.folder / "a.provenance.json"

    def write(self):
        """Write report and record anew."""
        (self.folder / "a.mp4.delivery.json").write_text(json.dumps(self.report))
        about = {"bytes": self.source.stat().st_size, "sha256": sha256(self.source)}
        description = {
            "source": about, "container": "mp4", "reading": {}, "size": [64, 48], "frames": FRAMES, "damage": [],
        }  # fmt: skip
        timeline = Timeline.build(
            Fraction(1, 25), list(range(FRAMES)), 1, [3], [str(i) for i in range(FRAMES)], colour=[0] * 3 + [90] * 3
        )
        files = [path for path in self.folder.iterdir() if path != self.path]
        machine = {"chunk_frames": 240, "device": "cpu", "engine": "auto", "threads": 4, "batch": 1}
        self.record = build_record("a", self.spec, description, timeline, files, machine)
        self.path.write_text(json.dumps(self.record))

    def change(self, **entries):
        """Write a record that says something else."""
        self.path.write_text(json.dumps(self.record | entries))


@pytest.fixture
def delivered(tmp_path):
    (tmp_path / "results").mkdir()
    return Delivered(tmp_path / "results", tmp_path / "original.mp4")


@pytest.fixture(scope="session")
def signer(tmp_path_factory):
    """Files of a certificate for signing, with the one of who vouches for it, and of its key."""
    folder = tmp_path_factory.mktemp("signer")
    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pems = [
        certificate("Archive", own, "Root", authority, is_authority=False),
        certificate("Root", authority, "Root", authority, is_authority=True),
    ]
    (folder / "chain.pem").write_bytes(b"".join(pems))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(own.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "chain.pem", folder / "key.pem"


def certificate(subject, key, issuer, issuing, *, is_authority):
    """PEM of a certificate as C2PA wants them: for one purpose, and with the identifiers of both keys."""
    names = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
        for name in (subject, issuer)
    )
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    usage |= {"digital_signature": not is_authority, "key_cert_sign": is_authority, "crl_sign": is_authority}
    builder = (
        x509.CertificateBuilder(*reversed(list(names)))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2024, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
