from __future__ import annotations

import html.parser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforming import converted, fault
from waybill.transforms.tool import Refused
from waybill.transforms.web_css import format_css
from waybill.transforms.web_html import format_html, minify_html

CSS = """\
@charset "utf-8";@import url(a.css);/* top */ a:hover>b ,c~d[x~=y]{color:red;font:a,b!important}
@media (min-width:600px) and (a>b){.w-\\+1:not(.x,.y){--v:{a:b;c:d};--e:;margin:0 /* in */ 1px;;
&:hover{background:url(data:image/png;base64,iVBOR==) no-repeat}}}
.a{}u{content:"x;y{\\"" '}'}
"""
HTML = """\
<!DOCTYPE html><html><head><title> A  b </title><meta charset=utf-8 /><script>var a = "<b>";

 b</script></head>
<body   class="x  >"
 id=a><!-- hi --><h1>Hello <b>x</b>
 y</h1><p>one<br>two <i>a</i><script>x</script>b <!-- c --> d<ul><li>a<li>b</ul><pre>
 a  b
   <b>c</b></pre><textarea>
 x  </textarea> z <img src=x /><table><tr><td>1<td>2</table>a < b &amp; c</body></html>
"""


def plain(sheet: str) -> str:
    """A style sheet without white space and the semicolons that may be left out."""
    return re.sub(r"[\s;]", "", sheet)


def test_css_is_laid_out() -> None:
    formatted = converted(format_css, CSS)
    assert (
        formatted
        == """\
@charset "utf-8";
@import url(a.css);
/* top */
a:hover > b,
c ~ d[x~=y] {
  color: red;
  font: a, b!important;
}

@media (min-width:600px) and (a>b) {
  .w-\\+1:not(.x,.y) {
    --v: {a:b;c:d};
    --e: ;
    margin: 0 /* in */ 1px;
    &:hover {
      background: url(data:image/png;base64,iVBOR==) no-repeat;
    }
  }
}

.a {}

u {
  content: "x;y{\\"" '}';
}
"""
    )
    assert converted(format_css, formatted) == formatted
    one_line = converted(format_css, CSS, tab_space=0)
    assert one_line.count("\n") == 1
    assert plain(one_line) == plain(CSS) == plain(formatted)


@given(st.lists(st.sampled_from(list("ab:;,>+{}()[] \n-/*@\\'\"")), max_size=30).map("".join))
def test_css_is_refused_or_loses_nothing(sheet: str) -> None:
    codes: set[str] = set()
    try:
        formatted = converted(format_css, f"a{{}}{sheet}")
    except Refused as refused:
        codes.add(refused.code)
        return
    finally:
        assert codes <= {"INVALID_CSS"}
    assert plain(formatted) == plain(f"a{{}}{sheet}")
    assert converted(format_css, formatted) == formatted


@pytest.mark.parametrize(
    ("sheet", "line", "column"),
    [
        ("a{", 1, 3),
        ("ä}\n", 1, 2),
        ("a{b:'ä\n}", 1, 7),
        ('a{b:"x\\', 1, 8),
        ("a{}\n/* x", 2, 5),
        ("a{b:(]}", 1, 6),
    ],
)
def test_css_faults_have_places(sheet: str, line: int, column: int) -> None:
    assert fault(format_css, sheet) == ("INVALID_CSS", line, column)


@pytest.mark.parametrize(("part", "column"), [("a{", 130), ("url(", 260)])
def test_css_that_is_nested_too_deep_is_told_as_that(part: str, column: int) -> None:
    assert fault(format_css, part * 500_000) == ("PAYLOAD_TOO_LARGE", 1, column)


def test_html_is_laid_out() -> None:
    formatted = converted(format_html, HTML)
    assert (
        formatted
        == """\
<!DOCTYPE html>
<html>
  <head>
    <title> A  b </title>
    <meta charset=utf-8 />
    <script>var a = "<b>";

 b</script>
  </head>
  <body class="x  >" id=a>
    <!-- hi -->
    <h1>Hello <b>x</b> y</h1>
    <p>
      one<br>two <i>a</i><script>x</script>b
      <!-- c -->
      d
    <ul>
      <li>
        a
      <li>
        b
    </ul>
    <pre>
 a  b
   <b>c</b></pre>
    <textarea>
 x  </textarea> z <img src=x />
    <table>
      <tr>
        <td>
          1
        <td>
          2
    </table>
    a < b &amp; c
  </body>
</html>
"""
    )
    assert converted(format_html, formatted) == formatted


def test_html_is_minified() -> None:
    minified = converted(minify_html, HTML)
    assert "<!--" not in minified
    assert "two <i>a</i><script>x</script>b d<ul><li>a<li>b</ul><pre>\n a  b\n" in minified
    assert converted(minify_html, converted(format_html, HTML)) == minified
    assert converted(minify_html, "<!--[if IE]> a <![endif]--><!--! k -->") == (
        "<!--[if IE]> a <![endif]--><!--! k -->\n"
    )


class Seen(html.parser.HTMLParser):
    """Tags, and texts with white space as one space, next to blocks none."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        if self.seen and isinstance(self.seen[-1], list):
            data = str(self.seen[-1][0]) + data
            self.seen.pop()
        self.seen.append([re.sub(r"\s+", " ", data)])


def seen(page: str) -> list[object]:
    reader = Seen()
    reader.feed(page)
    reader.close()
    blocks = {"div", "p", "li"}

    def is_block(index: int) -> bool:
        if not 0 <= index < len(reader.seen):
            return True
        item = reader.seen[index]
        return str(item[0] if isinstance(item, tuple) else item) in blocks

    result: list[object] = []
    for index, item in enumerate(reader.seen):
        if isinstance(item, list):
            text = item[0].lstrip(" ") if is_block(index - 1) else item[0]
            text = text.rstrip(" ") if is_block(index + 1) else text
            if text:
                result.append(text)
        else:
            result.append(item)
    return result


PARTS = """\
<div>|</div>|<p>|</p>|<b>|</b>|<li>| |
 |a|b &amp;|<br>|<i title="a  >b">|</i>|<a href=x >|</a>|<img src='x' />"""
PAGES = st.lists(st.sampled_from(PARTS.split("|")), max_size=12).map("".join)


@given(PAGES, st.integers(0, 3))
def test_html_shows_the_same(page: str, tab_space: int) -> None:
    page = f"<p>x{page}"
    formatted = converted(format_html, page, tab_space=tab_space)
    assert seen(formatted) == seen(page)
    assert converted(format_html, formatted, tab_space=tab_space) == formatted
    assert seen(converted(minify_html, page)) == seen(page)


UNSEEN = """\
a|b| |<div>|</div>|<p>|</p>|</b>|<html>|<head>|<body>|<script>x</script>|<style> y </style>|<meta>
<link rel=x>|<base>|<title> t </title>|<template>|</template>|<dialog>|</dialog>|<!-- c -->|<!x>
<textarea> </textarea>"""


def shown(page: str) -> str:
    """Letters, with white space where a browser shows some and a line break between blocks."""
    page = re.sub(r"<(script|style|title).*?</\1>|<!.*?>|</?(link|meta|base)\b.*?>", "", page)
    while (less := re.sub(r"<(template|dialog)>[^<]*</\1>", "", page)) != page:
        page = less
    page = re.sub(r"\s*</?(div|p|html|head|body|template|dialog)>\s*", "\0", page)
    return re.sub(r"\0+", "\n", re.sub(r"\s+", " ", page)).strip()


@given(
    st.lists(st.sampled_from(re.split(r"[|\n]", UNSEEN)), max_size=10),
    st.integers(0, 2),
)
def test_what_is_not_displayed_parts_no_texts(parts: list[str], tab_space: int) -> None:
    page = "".join(["x", *parts])
    formatted = converted(format_html, page, tab_space=tab_space)
    assert shown(formatted) == shown(page)
    assert converted(format_html, formatted, tab_space=tab_space) == formatted


@pytest.mark.parametrize(
    "page",
    [
        "a<script>x</script>b",
        "<html>a<style>x</style>b",
        "<p>x</p>a<link rel=x>b<meta>c<base>d<title>t</title>e",
        "a<template>x</template>b<dialog>x</dialog>c<noscript>d</noscript>e",
        "a</div>b",
        "a<!x>b",
        "<script>a<!-- <script> </script> --></script>",
        "<script><!--<script><!----></script>",
        "<script><!--><script></script>",
        "<script><!-- <script> </script > </script>",
    ],
)
def test_nothing_is_added_next_to_what_is_not_displayed(page: str) -> None:
    for action in (format_html, minify_html):
        assert converted(action, page).replace("</p>\n", "</p>").replace(
            "<html>\n  ", "<html>"
        ) == (page + "\n")


def test_heads_are_laid_out() -> None:
    page = (
        "<!doctype html><!-- c --><head><base><noscript><link></noscript><script>x</script><meta>"
    )
    assert converted(format_html, page + "<title>t</title></head><dialog>a</dialog>b") == (
        "<!doctype html>\n<!-- c -->\n<head>\n  <base>\n  <noscript><link></noscript>\n"
        "  <script>x</script>\n  <meta>\n  <title>t</title>\n</head>\n<dialog>a</dialog>\nb\n"
    )


@pytest.mark.parametrize(
    ("page", "line", "column"),
    [
        ("<div\n", 2, 1),
        ("<script><!-- <script> </script>", 1, 32),
        ("<a b='x", 1, 8),
        ("é<!-- x", 1, 8),
        ("<!-- <p>x</p>", 1, 14),
        ("<script>x</scrip>", 1, 18),
        ("a\0b", 1, 2),
        ("<p>\n<pre>\0</pre>", 2, 6),
    ],
)
def test_html_faults_have_places(page: str, line: int, column: int) -> None:
    assert fault(format_html, page) == ("INVALID_HTML", line, column)
    assert fault(minify_html, page) == ("INVALID_HTML", line, column)
