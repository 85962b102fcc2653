"""Params files, each a few random changes away from a right one: taken, or one line."""

import contextlib
import io
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.errors import MAX_LINE, run
from pipeline.params import load_params

FILES = 2 * settings().max_examples
SECONDS, MEGABYTES = 10, 500  # of the processor, for one file; of memory, for all
SCALARS = [
    *("", "~", "null", "yes", "True", "-0", "007", "0o17", "0x1F", "0b1", "1_000", "1:30:00"),
    *(".inf", "-.INF", ".nan", "1e999", "1.7e308", "5e-324", "1e-320", "1e400", "+.5", "5.", "1e5"),
    *("9" * 400, "9" * 5000, "0." + "0" * 900 + "1", "-9223372036854775809"),
    *("18446744073709551616", "2026-11-25", "2026-13-45", "2001-12-14t21:59:43.10-05:00"),
    *("=", "<<", "*nobody", "&a", "&a x", "!!bool abc", "!!int abc", "!!int ''", "!!float x"),
    *("!!timestamp abc", "!!timestamp [1]", "!!null x", "!!binary x", "!!binary '===='"),
    *("!!map [1]", "!!seq {a: 1}", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]"),
    *("!!str 5", "!!str [5]", "!!python/object:os.system x", "!!python/name:os.system"),
    *("!<tag:x,2026:y> 5", "!! 5", "! 5", "!e!x 5", "!!merge x", '"\\x1b[31mred\\x1b[0m"'),
    *('"\\u2028"', '"\\0"', '"\\ud800"', '"\\U0001F600"', '"\\q"', '"open', "'\u202etxt'"),
    *("数字", "\u0085x", "e\u0301" * 40, "'it''s'", "|\n    text\n", ">-\n    a\n\n    b"),
    *("[]", "{}", "[1", "{a: 1", "[,]", "{,}", "? a", "- 1", "@x", "`x`", "%x", "#", "a: b: c"),
    *("[" * 60 + "]" * 60, "[" * 3000, "[" * 3000 + "]" * 3000, "{a: " * 500 + "1" + "}" * 500),
    *("[" + "0.1, " * 2000 + "]", "[" + ", ".join(map(str, range(1, 1500))) + "]", "x" * 100_000),
    *("&b [*b]", "&b {c: *b}", "{<<: {a: 1}, a: 2}", "{<<: 5}", "{<<: [1, {}]}", "{[1, 2]: 3}"),
    *("{{}: 1}", "{1: 1, 1.0: 2, true: 3}", "{null: 1}", "{.nan: 1, .nan: 2}", "{2026-01-01: 1}"),
]
BOMB = "".join(
    f"b{k}: &b{k} [{', '.join([f'*b{k - 1}'] * 9 if k else ['lol'] * 9)}]\n" for k in range(20)
)
HEADS = ["%YAML 1.1\n---\n", "%YAML 9.9\n---\n", "%TAG ! tag:x:\n---\n", "---\n", "\ufeff"]
HEADS += [BOMB, "\0"]
CHARACTERS = "\t\x00\x1b\x7f\x85\u2028\u2029\ufeff\ufffe:#&*!|>'\"%@`{}[],?- \r\n\U0010ffff"


def another_line(text: str, rng: random.Random) -> str:
    """A line gone, after another, with another value, or one of a key that there is not."""
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    value = f"{rng.choice(SCALARS)}\n"
    unknown = rng.choice(["", "  ", "    ", "\t"]) + rng.choice(SCALARS)
    other = f"{lines[at].split(':')[0].rstrip()}: {value}"
    changes = ["", lines[at] + rng.choice(lines), f"{lines[at]}{unknown}: {value}"]
    lines[at] = rng.choice([*changes, *[other] * len(changes)])
    return "".join(lines)


def nested(text: str, rng: random.Random) -> str:
    """Values within values."""
    value = rng.choice(SCALARS[:40])
    for _ in range(rng.randint(1, 5)):
        value = rng.choice(
            [f"[{value}]", f"{{{rng.choice(SCALARS[:30])}: {value}}}", f"&n {value}"]
        )
    return text.replace(rng.choice(["cv: 5", "C:\n", "tol: 1e-8"]), f"C: {value}\n", 1)


def stray(text: str, rng: random.Random) -> str:
    """Characters where none belong."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(CHARACTERS) * rng.choice([1, 1, 1, 300]) + text[at:]
    return text


def cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def headed(text: str, rng: random.Random) -> str:
    return rng.choice(HEADS) + text


def bombed(text: str, rng: random.Random) -> str:
    """9^20 values in under 2 kB."""
    return BOMB + text.replace(rng.choice(["cv: 5", "C:\n", "tol: 1e-8"]), "C: *b19\n", 1)


CHANGES: list[Callable[[str, random.Random], str]] = [
    *([another_line] * 6),
    *(nested, stray, cut, headed, bombed),
]


def changed(text: str, rng: random.Random) -> bytes:
    """A few random changes."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if not text:
            break
        text = rng.choice(CHANGES)(text, rng)
    data = text.encode(rng.choice(["utf-8"] * 20 + ["utf-16", "utf-32"]), "surrogatepass")
    if rng.random() < 0.05:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.randbytes(rng.randint(1, 9)) + data[at:]
    return data


def said_of(seed: int, text: str) -> tuple[str, float]:
    """What stderr gets for this file, and the seconds of the processor; nothing if it is taken."""
    Path("params.yaml").write_bytes(changed(text, random.Random(seed)))
    said, began = io.StringIO(), time.process_time()
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        run(load_params)
    return said.getvalue(), time.process_time() - began


def test_any_file_is_taken_or_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params_text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(FILES):
        said, seconds = said_of(seed, params_text)
        assert seconds < SECONDS, seed
        if said:
            refused += 1
            line = said.removesuffix("\n")
            assert line.startswith("params.yaml:"), (seed, line)
            assert line.isprintable(), (seed, line)
            assert len(line) <= MAX_LINE, (seed, line)
    assert FILES / 2 < refused < FILES
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
