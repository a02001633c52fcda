"""Closed captions: put into every kind of stream, read back by the decoder."""

from restoration.media.captions import with_captions


def test_the_message_as_the_standards_write_it():
    told = with_captions("h264", b"PICTURE", bytes([0xFC, 0x94, 0x20]))
    assert told.hex() == "0000000106040eb50031474139340341fffc9420ff80" + b"PICTURE".hex()


def test_no_start_code_appears_inside():
    told = with_captions("h265", b"", bytes(9))
    assert b"\0\0\0" not in told[4:]
    assert told.count(b"\0\0\3") >= 3


def test_what_one_message_cannot_hold_goes_into_the_next():
    told = with_captions("h264", b"", bytes([0xFC, 0x94, 0x20]) * 40)
    assert [told.count(b"GA94\x03" + bytes([0x40 | count])) for count in (31, 9)] == [1, 1]
    assert with_captions("h264", b"PICTURE", b"") == b"PICTURE"
