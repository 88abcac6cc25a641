from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine import output
from corelab.engine.output import MAX_LINE_BYTES, LineSplitter, ShownPaths


def split(*chunks: bytes) -> list[str]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)] + list(splitter.flush())


def test_a_last_line_without_its_end_is_kept() -> None:
    assert split(b"one\ntwo") == ["one", "two"]


def test_carriage_returns_at_line_ends_are_dropped() -> None:
    assert split(b"one\r\ntwo\r\n") == ["one", "two"]


def test_invalid_utf8_is_replaced() -> None:
    assert split(b"caf\xe9\nna\xc3\xafve\n") == ["caf\ufffd", "naïve"]


def test_a_huge_line_is_cut_where_cloudwatch_ends_an_event() -> None:
    assert MAX_LINE_BYTES + 26 == 256 * 1024
    assert [len(line) for line in split(b"x" * (2 * MAX_LINE_BYTES + 5) + b"\nend\n")] == [
        MAX_LINE_BYTES,
        MAX_LINE_BYTES,
        5,
        3,
    ]


def test_a_line_that_never_ends_does_not_pile_up() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(40) for line in splitter.feed(b"y" * (32 << 10))]
    assert len(lines) == 40 * (32 << 10) // MAX_LINE_BYTES


@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=60), st.data())
def test_characters_are_whole_however_output_is_chopped(text: str, data: st.DataObject) -> None:
    encoded = text.encode()
    at = data.draw(st.integers(0, len(encoded)))
    assert "".join(split(encoded[:at], encoded[at:])) == text


@given(st.text("aé漢🙂", min_size=1, max_size=80), st.integers(4, 12))
def test_cutting_never_breaks_a_character(text: str, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "MAX_LINE_BYTES", limit)
        lines = split(text.encode() + b"\n")
    assert "".join(lines) == text
    assert all(len(line.encode()) <= limit for line in lines)


def test_private_paths_show_as_the_container_would_show_them(tmp_path: Path) -> None:
    shown = ShownPaths([(tmp_path / "tmp", "/tmp"), (tmp_path, "/opt/ml")])
    assert shown(f"{tmp_path}/model and {tmp_path}/tmp/x") == "/opt/ml/model and /tmp/x"


def test_links_on_the_way_to_a_private_path_are_seen_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert ShownPaths([(tmp_path / "link", "/opt/ml")])(f"{tmp_path}/real/model") == "/opt/ml/model"
