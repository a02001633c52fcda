"""What was repaired, in sentences."""

from restoration.review.repairs import summarized

NOTHING = {"weave": "none", "flicker": 0, "dust": 0, "scratches": False, "grain": 0, "blocks": 0, "blur": 0, "halo": 0}
SHOTS = [
    {"weave": 0.84, "flicker": 0, "noise": 3.2, "scratches": 0},
    {"weave": 1.26, "flicker": 0.075, "noise": 4, "scratches": 2},
]
FRAMES = [{"dust": 0, "scratches": 40, "border": 0}, {"dust": 7, "scratches": 41, "border": 0}]


def said(settings, shots=SHOTS, frames=FRAMES):
    return list(summarized({"settings": settings, "shots": shots, "frames": frames}))


def test_what_was_asked_for_and_found():
    assert said({"repair": NOTHING | {"weave": "crop", "flicker": 1, "grain": 0.5, "blur": 1.2, "halo": 0.5}}) == [
        "2 shots held still: up to 1.3 pixels (rms) off in the gate.",
        "1 shot evened: exposure varied by up to 7.5% (rms).",
        "Dust and dirt replaced in 1 frame: 7 pixels.",
        "Vertical scratches replaced in 2 frames: 81 pixels.",
        "Grain and noise of up to 4.0 of 255 averaged along the motion, by 50%.",
        "A blur of 1.2 pixels and halos of 50% taken back everywhere.",
    ]


def test_what_was_asked_for_and_not_found():
    calm = [{"weave": 0, "flicker": 0, "noise": 0, "scratches": 0}]
    frames = [{"dust": 0, "scratches": 0, "border": 0}]
    assert said({"repair": NOTHING | {"weave": "fill", "flicker": 1, "dust": 0.5}}, calm, frames) == [
        "No shot was unsteady in the gate.",
        "No shot flickered.",
    ]


def test_what_was_not_asked_for():
    assert said({"repair": NOTHING}, frames=[{"dust": 0, "scratches": 0, "border": 0}]) == []


def test_what_a_network_painted():
    assert said({"retouch": {}}, [], [{"frame": 0, "painted": 12}]) == [
        "Scratches, by a network, replaced in 1 frame: 12 pixels."
    ]
