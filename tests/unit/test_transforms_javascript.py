from __future__ import annotations

import contextlib
import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforming import converted, fault
from waybill.transforms.javascript_semicolons import Completed
from waybill.transforms.tool import Refused
from waybill.transforms.web_javascript import format_javascript, minify_javascript

if TYPE_CHECKING:
    from waybill.transforms.tool import Action

BOTH = (format_javascript, minify_javascript)
SCRIPTS = [
    "let a = 1\nlet b = a\n++b\nconsole.log(a, b)",
    "function f() {\n  return\n  1\n}\nconsole.log(f(), (() => {\n return 2 })())",
    "let g = 1, i = 2\nconsole.log(4 / g / i, /[/]\"'/g.test('/\"\\''), `a  ${ i +  1 } \n b`)",
    "let s = ''\nfor (const x of [1, 2, 3]) { if (x == 2) continue\n s += x }\nconsole.log(s)",
    "let i = 0; do { i++ } while (i < 3)\nconsole.log(i); l: for (;;) { break l }",
    "class A { #x = 1; static y = 2\n get x() { return this.#x } }\nconsole.log(new A().x, A.y)",
    "class A { static *g() { yield* [1, 2] } }\nconsole.log([...A.g()])",
    "switch (2) { case 1: console.log(1)\ncase 2: console.log(2)\n{ console.log(3) } default: }",
    "var o = {a: 1, get b() { return 2 }, ['c']: 3, async d() {}}\nconsole.log(o.a + + o.b, o?.c)",
    "let x = 5\n;[1, 2].map(y => x += y)\nconsole.log(x, x - -x, x+ +x, 1 .toFixed(), 1..x)",
    "// c\n/* d\n */ var a = 1 // e\n/* f */\nvar b = a /* g */ + 1\nconsole.log(a, b);\n<!-- h\n",
    "if (1) console.log(1); else console.log(2)\ntry { throw 1 } catch { console.log(3) }",
    "var a = [1, , 2], b = a ? .5 : 1, c = !a, d = typeof a\nconsole.log(b, c, d, void 0 in {})",
    "const é = 'ü\\\n x'\nconsole.log(é); var $ = 1, _ = 2\nconsole.log($ in [1, 2], _)",
    "var x\n=\n1\nvar y = x\n/ 2 / 1\nconsole.log(x,\n y,\n)",
    "async function f() { for await (const x of [1]) console.log(x) }\nf()",
    "let x = 2, g = 1, y = () => {}\n/x/g.test('x')\nvar z = v => {} //\n[x] = [3]\nconsole.log(x)",
    "let x = () => {}\n() => {}\nlet y\n(1)\nlet z\n/x/g.test(y)\nconsole.log(x(), y)",
    "class A { a\n*b() { yield 1 } static c = () => {}\n['d'] = 2 }\nconsole.log(new A().d, A.b)",
    "for (let x of [1, 2]) { console.log(x); continue\n(x) }\ndebugger\n/x/g.test('')",
    "const f = async x => x, g = async (x) => { await x; console.log(x) }\ng(f(1))",
]


def tree(script: str) -> str:
    """The syntax of a script without its comments."""
    written = str(Completed(script.encode()).tree.root_node)
    return re.sub(r" ?\((html_)?comment\)", "", written)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_keep_their_syntax(script: str) -> None:
    minified = converted(minify_javascript, script)
    assert tree(minified) == tree(script)
    assert len(minified) <= len(script) + 1
    for tab_space in (2, 4):
        formatted = converted(format_javascript, script, tab_space=tab_space)
        assert tree(formatted) == tree(script)
        assert converted(format_javascript, formatted, tab_space=tab_space) == formatted
    assert converted(format_javascript, script, tab_space=0) == minified


def test_scripts_do_the_same() -> None:
    def output(script: str) -> bytes:
        done = subprocess.run(["node", "-"], input=script.encode(), capture_output=True, check=True)
        return done.stdout

    def all_of(scripts: list[str]) -> str:
        return "\n".join(f"{{{script}\n}}" for script in scripts)

    expected = output(all_of(SCRIPTS))
    assert expected.count(b"\n") > len(SCRIPTS)
    for action in BOTH:
        assert output(all_of([converted(action, script) for script in SCRIPTS])) == expected


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_line_breaks_anywhere_keep_the_syntax(seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311
    script = chosen.choice(SCRIPTS)
    gaps = [found.start() for found in re.finditer(r"[ \n]", script)]
    for place in chosen.sample(gaps, min(3, len(gaps))):
        script = script[:place] + chosen.choice("\n ") + script[place + 1 :]
    if Completed(script.encode()).tree.root_node.has_error:
        assert fault(minify_javascript, script)[0] == "INVALID_JAVASCRIPT"
        return
    assert tree(converted(minify_javascript, script)) == tree(script)
    assert tree(converted(format_javascript, script)) == tree(script)


def test_a_script_is_laid_out() -> None:
    script = (
        "#!/usr/bin/env node\n/*! keep */ function f(a,b=1){if(a){return a/b}else if(b)return\na}"
        "switch(a){case 1:b();break\ndefault:c()}\nx\n.then(y=>{z})// end\nfoo({\nk:1}, \n\n\n2)"
    )
    assert (
        converted(format_javascript, script)
        == """\
#!/usr/bin/env node
/*! keep */ function f(a, b = 1) {
  if (a) {
    return a / b
  } else if (b)return
  a
}
switch (a) {
  case 1:
    b();
    break
  default:
    c()
}
x
  .then(y => {
    z
  }) // end
foo({
  k: 1
},

  2)
""".replace("k: 1\n}", "k: 1}")
    )
    assert converted(minify_javascript, script) == (
        "#!/usr/bin/env node\n/*! keep */function f(a,b=1){if(a){return a/b}else if(b)return\na}"
        "switch(a){case 1:b();break\ndefault:c()}\nx.then(y=>{z})\nfoo({k:1},2)\n"
    )


@pytest.mark.parametrize(
    ("script", "formatted"),
    [
        ("a=>{}\n/x/g", "a => {}\n/x/g"),
        ("a=>{}\u2028/x/g", "a => {}\n/x/g"),
        ("a/*\n*/b", "a /*\n*/ b"),
        ("export default class{}\n/x/g", "export default class {}\n/x/g"),
        ("export default function(){}/x/g", "export default function() {}\n/x/g"),
        ("import a from 'b'\n(x)", "import a from 'b'\n(x)"),
        ("var a\n/x/g", "var a\n/x/g"),
        ("var a=b\n/x/g", "var a = b\n  / x / g"),
    ],
)
def test_statements_end_at_line_breaks(script: str, formatted: str) -> None:
    assert converted(format_javascript, script) == formatted + "\n"
    assert tree(converted(minify_javascript, script)) == tree(script) == tree(formatted)


@pytest.mark.parametrize(
    ("script", "line", "column"),
    [
        ("if(é){ b( }", 1, 11),
        ("x = [1,\n2", 2, 2),
        ("x = 'ab\ny", 1, 8),
        ("`abc", 1, 5),
        ("f()\nelse", 2, 1),
        ("a)", 1, 2),
        ("a\nb <!-- c", 2, 3),
        ("/* b", 1, 5),
    ],
)
def test_script_faults_have_places(script: str, line: int, column: int) -> None:
    for action in BOTH:
        assert fault(action, script) == ("INVALID_JAVASCRIPT", line, column)


def test_deep_nesting_is_refused_or_taken_without_recursion() -> None:
    nested = "[" * 200_000 + "]" * 200_000
    assert fault(format_javascript, nested) == ("PAYLOAD_TOO_LARGE", 1, 65)
    assert converted(minify_javascript, nested) == nested + "\n"


@pytest.mark.parametrize("part", ["/*", "`${", "/a/", "(", "a=>", "x?", "<a>"])
def test_hostile_scripts_take_linear_time(part: str) -> None:
    for content in (part * 100_000, "a" + part * 100_000):
        with contextlib.suppress(Refused):
            converted(minify_javascript, content)


@pytest.mark.parametrize("action", BOTH)
def test_nothing_is_empty_input(action: Action) -> None:
    for content in (b"", b"\xef\xbb\xbf", b" \n"):
        assert fault(action, content) == ("EMPTY_INPUT", None, None)
    assert fault(action, b"\xff")[0] == "INVALID_ENCODING"
