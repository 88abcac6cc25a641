"""Pages and links: names become addresses, what leads nowhere or shuts somebody out is refused."""

from __future__ import annotations

import pytest

from corelab.authoring.build import build
from corelab.authoring.drift import stale
from corelab.authoring.release import release
from corelab.errors import CourseError

from .conftest import LESSON

PAGE = """<!-- guide: G001 -->
# Start

Read [the format](link:format), see [the words](page:words) and [your function](cell:a9_tiny/double_check).
"""


@pytest.fixture
def guide(course):
    """Write a course with two pages; answers its root."""

    def make(page=PAGE, lesson=LESSON, addresses='format = "https://example.org/format"\n'):
        root = course(lesson=lesson)
        (root / "course/guide").mkdir()
        (root / "course/guide/start.md").write_text(page, "utf-8")
        (root / "course/guide/words.md").write_text("# Words\n", "utf-8")
        (root / "course/links.toml").write_text(addresses, "utf-8")
        return root

    return make


def test_pages_are_released_with_addresses_and_without_notes_to_the_coverage_tool(guide):
    root = guide()
    build(root)
    paths = release(root, record=False)
    assert [path.name for path in paths] == ["tiny.ipynb", "start.md", "words.md"]
    text = (root / "release/guide/start.md").read_text("utf-8")
    assert text.startswith("# Start\n")
    for address in (
        "[the format](https://example.org/format)",
        "[the words](../guide/words.md)",
        "[your function](../a9_tiny/tiny.ipynb#cell-id=double_check)",
    ):
        assert address in text


def test_a_page_that_differs_from_its_text_is_stale(guide):
    root = guide()
    build(root)
    release(root, record=False)
    assert stale(root) == []
    (root / "course/guide/words.md").write_text("# Other words\n", "utf-8")
    (root / "release/guide/old.md").write_text("# Old\n", "utf-8")
    assert stale(root) == [
        "release/guide/old.md has no lesson text",
        "release/guide/words.md differs from its lesson text",
    ]


def test_lessons_point_by_name_too(guide):
    root = guide(lesson=LESSON.replace("Some words.", "Some [words](page:words)."))
    [path] = build(root)
    assert "[words](../guide/words.md)" in path.read_text("utf-8")


@pytest.mark.parametrize("target", ["link:other", "page:other", "cell:a1_other/double", "cell:a9_tiny"])
def test_a_name_that_leads_nowhere_is_refused(guide, target):
    root = guide(page=f"# Start\n\n[Somewhere]({target})\n")
    build(root)
    with pytest.raises(CourseError, match=f"start.md: nothing is called {target}"):
        release(root, record=False)


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("# A\n\n### C\n", "heading 'C' is of level 3 after level 1"),
        ("Words without a heading\n", "opens with one heading of level 1"),
        ("# A\n\n![chart](chart.png)\n", "needs words for those who cannot see it"),
        ("# A\n\nClick [here](page:words).\n", "the words of a link say where it goes, got 'here'"),
        ("# A\n\nSee https://example.org/page.\n", "belongs into course/links.toml"),
        ("# A\n\n[A page](https://example.org)\n", "belongs into course/links.toml"),
    ],
)
def test_a_page_that_shuts_somebody_out_or_holds_an_address_is_refused(guide, page, complaint):
    root = guide(page=page)
    build(root)
    with pytest.raises(CourseError, match=r"start\.md") as refused:
        release(root, record=False)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("addresses", "complaint"), [("= broken", "links.toml"), ('a = "http://a.org"', "a should start with")]
)
def test_a_bad_file_of_addresses_is_refused(guide, addresses, complaint):
    with pytest.raises(CourseError, match=complaint):
        build(guide(addresses=addresses))
