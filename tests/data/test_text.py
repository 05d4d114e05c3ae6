"""The text to learn characters from: it is prose, nothing in it is copied, and
numbers come back as what they were."""

import re

import pytest
import torch

from dlcourse.data import text


def test_the_manual_is_prose_in_single_lines_without_copies():
    manual = text.manual()
    lines = manual.splitlines()
    assert 150_000 < len(manual) < 2_000_000 and manual.endswith("\n") and manual.isascii()
    assert len(set(lines)) == len(lines)
    assert not re.search(r"::=|>>>|\*\*\*|  ", manual)
    assert all(line[-1] in ".:;,!?)" and len(line) > 40 for line in lines)
    assert {"statement", "function", "the", "object"} <= set(manual.split())


def test_with_repeats_it_is_longer_and_says_nothing_new():
    once, often = text.manual().splitlines(), text.manual(repeats=True).splitlines()
    assert len(often) > len(once) and list(dict.fromkeys(often)) == once


def test_encoding_and_decoding_are_inverse():
    encoded = text.encode("abracadabra")
    assert encoded.characters == "abcdr" and encoded.ids.dtype == torch.int64
    assert encoded.ids.tolist() == [0, 1, 4, 0, 2, 0, 3, 0, 1, 4, 0]
    assert text.decode(encoded.ids, encoded.characters) == "abracadabra"
    other = text.encode("bad", encoded.characters)
    assert other.ids.tolist() == [1, 0, 3] and other.characters == encoded.characters
    assert text.encode("").ids.shape == (0,) and text.encode("").ids.dtype == torch.int64


def test_an_unknown_character_is_named():
    with pytest.raises(ValueError, match="'z' is not among the 5 characters"):
        text.encode("zebra", "abcdr")


def test_dates_in_every_style_mean_what_they_say():
    written, wanted = text.dates(400, seed=3)
    assert (written, wanted) == text.dates(400, seed=3) and written != text.dates(400, seed=4)[0]
    styles = {
        r"\d+ [A-Z][a-z]+ \d{4}": 0,
        r"[A-Z][a-z]+ \d+, \d{4}": 0,
        r"\d\d\.\d\d\.\d\d": 0,
        r"\d+ [a-z]{3} \d{4}": 0,
    }
    for one, machine in zip(written, wanted, strict=True):
        year, month, day = (int(part) for part in machine.split("-"))
        assert 1950 <= year < 2050 and 1 <= month <= 12 and 1 <= day <= 28
        style = next(style for style in styles if re.fullmatch(style, one))
        styles[style] += 1
        if "." in one:
            assert one == f"{day:02}.{month:02}.{year % 100:02}"
        else:
            assert str(year) in one and text.MONTHS[month - 1][:3].lower() in one.lower()
            assert str(day) in re.findall(r"\d+", one)
    assert min(styles.values()) > 60
