"""Closed captions: put into every kind of stream, read back by the decoder."""

from restoration.media.captions import with_captions


def test_the_message_as_the_standards_write_it():
    told = with_captions("h264", b"PICTURE", bytes([0xFC, 0x94, 0x20]))
    assert told.hex() == "0000000106040eb50031474139340341fffc9420ff80" + b"PICTURE".hex()


def test_no_start_code_appears_inside():
    told = with_captions("h265", b"", bytes(9))
    assert b"\0\0\0" not in told[4:]
    assert told.count(b"\0\0\3") >= 3


def test_what_no_message_can_hold_is_cut_off():
    assert with_captions("h264", b"", bytes(3 * 40)) == with_captions("h264", b"", bytes(3 * 31))
