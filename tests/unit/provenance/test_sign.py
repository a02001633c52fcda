"""Signatures hold for the file that was signed, and the file is whole after it."""

import shutil

import av
import cv2
import pytest
from PIL import Image

from media_factory import packet_bytes, pictures, write_clip
from restoration.errors import RestorationError
from restoration.media.identity import sha256
from restoration.media.mark import SOURCE_TYPE, mark_video, read_mark
from restoration.provenance.sign import sign, signature, signature_problems

c2pa = pytest.importorskip("c2pa")
CLAIMS = [
    {"stage": "upscale", "networks": [{"model": "sharp", "sha256": "a" * 64}]},
    {"stage": "settle", "networks": []},
]
SOURCE = "5" * 64


def spec(certificate, claims=CLAIMS):
    return {"sign": {"certificate": sha256(certificate), "alg": "es256", "timestamp_url": ""}, "claims": claims}


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.fixture(params=["a.mp4", "a.mov", "a.png", "a.jpg", "a.tif"])
def file(request, tmp_path):
    path = tmp_path / request.param
    if path.suffix in (".mp4", ".mov"):
        write_clip(path, pictures(6))
        mark_video(path)
    else:
        Image.fromarray(pictures(1)[0]).save(path)
    return path


def test_a_signed_file_is_the_same_but_for_the_signature(file, signer):
    plain = shutil.copy(file, file.with_name(f"plain{file.suffix}"))
    assert signature_problems(file)[0].startswith("its signature cannot be read")
    sign(file, spec(signer[0]), *signer, SOURCE)
    assert signature_problems(file) == []
    if file.suffix in (".mp4", ".mov"):
        assert packet_bytes(file) == packet_bytes(plain)
        assert read_mark(file) == SOURCE_TYPE
    else:
        assert (cv2.imread(str(file)) == cv2.imread(str(plain))).all()
    assert {path.name for path in file.parent.iterdir()} == {file.name, plain.name}
    flip(file, -200 if file.suffix in (".mp4", ".mov") else -60)
    assert any("its signature" in line for line in signature_problems(file))


def test_matroska_is_signed_beside(tmp_path, signer):
    path, beside = tmp_path / "a.mkv", tmp_path / "a.mkv.c2pa"
    write_clip(path, pictures(6))
    before = path.read_bytes()
    assert signature_problems(path) == ["its signature a.mkv.c2pa is missing"]
    signature(path, beside, spec(signer[0]), *signer, SOURCE)
    assert signature_problems(path) == []
    assert path.read_bytes() == before
    flip(path, len(before) // 2)
    assert signature_problems(path) == ["its signature is not valid (assertion.dataHash.mismatch)"]


@pytest.mark.parametrize(
    ("claims", "kind"), [(CLAIMS, "compositeWithTrainedAlgorithmicMedia"), ([], "algorithmicallyEnhanced")]
)
def test_a_signature_claims_what_was_done(tmp_path, signer, claims, kind):
    path = tmp_path / "a.png"
    Image.fromarray(pictures(1)[0]).save(path)
    sign(path, spec(signer[0], claims), *signer, SOURCE)
    with path.open("rb") as file, c2pa.Reader("image/png", file) as reader:
        told = {assertion["label"]: assertion["data"] for assertion in reader.get_active_manifest()["assertions"]}
    actions = told["c2pa.actions.v2"]["actions"]
    assert actions[0]["digitalSourceType"].endswith(f"/{kind}")
    assert [action["parameters"]["stage"] for action in actions[1:]] == [claim["stage"] for claim in claims]
    assert told["restoration.source"] == {"sha256": SOURCE}


def test_a_certificate_that_changed_or_does_not_fit_is_refused_and_the_file_stays(tmp_path, signer):
    path = tmp_path / "a.mp4"
    write_clip(path, pictures(6))
    before, (chain, key) = path.read_bytes(), signer
    with pytest.raises(RestorationError, match="changed while the run was in flight"):
        sign(path, {"sign": spec(chain)["sign"] | {"certificate": "0" * 64}, "claims": []}, chain, key, SOURCE)
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key at all")
    with pytest.raises(RestorationError, match=r"a\.mp4: cannot be signed .*sign\.key") as error:
        sign(path, spec(chain), chain, wrong, SOURCE)
    assert "no key at all" not in str(error.value)
    assert path.read_bytes() == before
    with av.open(path) as container:
        assert container.streams.video
