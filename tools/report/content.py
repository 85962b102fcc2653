"""The report's parts, in their order, from a comparison."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from figures.difference import difference
from figures.overlay import Curves, overlay
from figures.style import png
from figures.tiles import contributions_tile, image_tile
from figures.words import with_article
from pipeline.artifacts import load_arrays
from tools.report.comparison import ACCURACY, Comparison
from tools.report.limits import Judged
from tools.report.markdown import Card, Details, Part, Picture, code, escape, table, text
from tools.report.metrics import DOCS, SHORT, is_number, rows
from tools.report.paired import IMAGES, SCORES, Paired
from tools.report.revision import Revision, origin, picture_address
from tools.report.sentence import param_values, sentence

WEIGHTS = "plots/weights.csv"
SHOWN = 24  # images at once; the others are folded
MOST = 120  # images as pictures, or the page grows too large
FILES = 200  # that git has changed, by name
LOUD = ("RED", "waived", "better", "worse")  # verdicts in bold


def title(found: Comparison) -> str:
    return f"From {found.base.name} to {found.head.name}"


def content(found: Comparison, judged: Sequence[Judged] = ()) -> Iterator[Part]:
    """All of the report; without `judged` it says nothing of the gate."""
    yield f"# {escape(title(found))}"
    yield text(sentence(found))
    yield from _gate(judged)
    for parts in (_metrics, _params, _answers, _pictures, _changes):
        yield from parts(found)


def _verdict(word: str) -> str:
    return f"**{word}**" if word in LOUD else word


def _gate(judged: Sequence[Judged]) -> Iterator[Part]:
    if not judged:
        return
    n, count = len(judged), Counter(line.word for line in judged)
    said = f"{count['RED']} of {n} limits crossed" if count["RED"] else "green"
    said += "".join(f", {count[word]} {word}" for word in ("waived", "not told") if count[word])
    yield f"## The gate: {said}"
    lines = [[code(line.limit), _verdict(line.word), line.said] for line in judged]
    limits = table(["limit", "verdict", "what was found"], lines)
    yield Details(f"All {n} limits of `gate.yaml`", [limits]) if said == "green" else limits


def _metrics(found: Comparison) -> Iterator[Part]:
    lines = {
        name: [code(name), *shown, _verdict(verdict)]
        for name, *shown, verdict in rows(found.metrics, found.before, found.after)
    }
    header = ["metric", "before", "now", "difference", "verdict"]
    changed = sum(line[-1] != "same" for line in lines.values())
    said = f"{changed} of {len(lines)} metrics differ" if changed else "No metric differs"
    said += f". What each is, and which way is better: `{DOCS}`."
    if isinstance(found.pairs, str):
        said += " Answers are not paired: better and worse may be of two different tasks."
    yield "## Metrics"
    yield text(said)
    yield table(header, [lines[name] for name in SHORT if name in lines], right=(1, 2, 3))
    everything = table(header, lines.values(), right=(1, 2, 3))
    yield Details(f"All {len(lines)} metrics", [everything])


def _params(found: Comparison) -> Iterator[Part]:
    yield "## Params"
    lines = [[code(key), *map(code, param_values(found, key))] for key in found.params]
    yield table(["param", "before", "now"], lines) if lines else "No param differs."


def _answers(found: Comparison) -> Iterator[Part]:
    yield "## The same test images, answer by answer"
    pairs = found.pairs
    if isinstance(pairs, str):
        yield text(
            f"Not compared: {pairs}. Only where classes and images are equal can answers be "
            "paired; the two accuracies may be of different questions."
        )
        return
    n, before = len(pairs.after.actual), int((~pairs.before.right).sum())
    wrong, right = len(pairs.newly_wrong), len(pairs.newly_right)
    yield table(
        [f"of {n:,} test images", "now right", "now wrong"],
        [
            ["right before", str(n - before - wrong), f"**{wrong}** newly wrong"],
            ["wrong before", f"**{right}** newly right", str(before - right)],
        ],
    )
    if pairs.differ:
        yield text(
            f"McNemar's exact test, of both sides: p = {pairs.p:.2g}. Were the two models "
            f"equally good, {wrong} to {right}, or a more uneven split of {pairs.differ} images, "
            f"would come up with this probability. {_intervals(found)}"
        )
    else:
        moved = int((pairs.before.score != pairs.after.score).sum())
        yield f"No answer changed; {f'{moved:,} scores' if moved else 'no score'} did."
    yield from _cards(found, pairs, pairs.newly_wrong, "newly wrong")
    yield from _cards(found, pairs, pairs.newly_right, "newly right")


def _intervals(found: Comparison) -> str:
    """What the 95 % intervals of the two accuracies say, and what they do not."""
    (low, high), (now_low, now_high) = ends = [
        [side.get(f"{ACCURACY}_95.{end}") for end in ("low", "high")]
        for side in (found.before, found.after)
    ]
    if not all(map(is_number, ends[0] + ends[1])):
        return ""
    overlap = "overlap" if low <= now_high and now_low <= high else "do not overlap"
    shown = " and ".join(f"{100 * a:.2f} to {100 * b:.2f} %" for a, b in ends)
    return (
        f"The 95 % intervals of the two accuracies, {shown}, {overlap}; they cannot tell: they "
        "take the images for two separate samples, and hide differences such as these."
    )


def _cards(found: Comparison, pairs: Paired, which: np.ndarray, name: str) -> Iterator[Part]:
    """The images that changed sides, those whose score moved most first."""
    if not len(which):
        return
    here = IMAGES in found.head.md5s and Path(IMAGES).exists()
    images = load_arrays(Path(IMAGES), "X_test", "index_test") if here else {}
    weights = {"before": _weights(found.base), "now": _weights(found.head)}
    moved = np.abs(pairs.after.score - pairs.before.score)[which]
    cards = []
    for k in which[np.argsort(-moved, kind="stable")][:MOST]:
        place, tiles = f"row {k + 1} of `{SCORES}`", []
        if images:
            place, x = f"no. {images['index_test'][k]}", images["X_test"][k] / 255
            tiles = [("image", image_tile(x))]
            if all(w is not None and w.shape == x.shape for w in weights.values()):
                tiles += [(when, contributions_tile(w, x)) for when, w in weights.items()]
        (was, score), (now, new_score) = (
            (side.read_as(k), _score(side.score[k])) for side in (pairs.before, pairs.after)
        )
        line = f"{with_article(pairs.after.actual[k])}, read as {with_article(was)}, now as {now}"
        cards.append(Card(tiles, [escape(line), text(f"score {score} → {new_score}; {place}")]))
    parts: list[Part] = [] if images else [f"`{IMAGES}` is not here: `make repro` brings it."]
    parts += [cards[:SHOWN], cards[SHOWN:]] if cards[SHOWN:] else [cards]
    if left := len(which) - len(cards):
        parts.append(f"{left} more are in `{SCORES}`.")
    count = f"{len(which)} {name}" if len(which) > 1 else f"one {name}"
    summary = f"The {count}: image, and what its pixels add to the score, before and now"
    yield Details(summary, parts, shown=True)


def _score(score: float) -> str:
    return (f"{score:+.2f}" if abs(score) >= 0.01 else f"{score:+.1g}").replace("-", "−")


def _weights(revision: Revision) -> np.ndarray | None:
    """(height, width) of plots/weights.csv, if there is one."""
    pixels = revision.table(WEIGHTS)
    if not pixels:
        return None
    shape = [int(pixels[-1][side]) + 1 for side in ("row", "column")]
    return np.reshape([float(pixel["weight"]) for pixel in pixels], shape)


# Pictures: the committed ones of both sides, and those that are drawn of both.

Drawn = Picture | str | None  # or why there is none, or nothing to draw


def _difference(found: Comparison) -> Drawn:
    if isinstance(found.pairs, str):
        return f"No difference of the weights: {found.pairs}."
    before, after = _weights(found.base), _weights(found.head)
    if before is None or after is None or before.shape != after.shape:
        return f"No difference of the weights: `{WEIGHTS}` is missing, or of another size."
    figure = difference(before, after, found.pairs.after.classes)
    return Picture(
        "the difference: now − before", "Heatmap of the difference of the weights", png(figure)
    )


def _overlaid(found: Comparison, file: str, title: str, mark: str, columns: list[str]) -> Drawn:
    """The curves of both sides; columns: scores on images to fit, on others, weights, the mark."""
    tables = [found.base.table(file), found.head.table(file)]
    if tables[0] == tables[1]:
        return None
    if not all(tables):
        return f"Not overlaid: `{file}` of one of the two is missing."
    before, now = (lines[0].get("scoring", "accuracy") for lines in tables)
    if before != now:
        return f"Not overlaid: `gridsearch.scoring` {before} → {now}."
    curves = {}
    for when, side, lines in zip(("before", "now"), (found.base, found.head), tables, strict=True):
        # the few values of the grid are told apart, every C of both is not
        lines = [line for line in lines if line.get("kind") != "every C"]
        C, *ys, chosen = ([float(line[name]) for line in lines] for name in ["C", *columns])
        arrays = map(np.array, (C, *ys))
        curves[f"{when} ({side.name})"] = Curves(*arrays, at=C[int(np.argmax(chosen))])
    caption = f"{title}: scores and numbers of weights over C"
    return Picture(caption, caption, png(overlay(title, now.replace("_", " "), mark, curves)))


_search = partial(
    _overlaid,
    file="plots/validation_curve.csv",
    title="The search, before and now",
    mark="best",
    columns=["mean_train_score", "mean_test_score", "mean_nonzero", "best"],
)
_path = partial(
    _overlaid,
    file="plots/path.csv",
    title="The path, before and now",
    mark="trained at",
    columns=["train_accuracy", "test_accuracy", "nonzero", "trained"],
)


@dataclass(frozen=True)
class Plot:
    """A committed picture; drawn: what is drawn of both sides; folded: the two themselves are."""

    title: str
    name: str
    alt: str
    folded: bool = True
    drawn: Callable[[Comparison], Drawn] = lambda found: None


PLOTS = [
    Plot("The weights", "weights", "Heatmap of the weights", False, _difference),
    Plot("The search for C", "validation_curve", "Validation curves", drawn=_search),
    Plot("The path over C", "path", "Heatmaps of the weights at twelve values of C", drawn=_path),
    Plot(
        "The order in which pixels begin to count",
        "entry",
        "Map of the C at which each pixel begins to count",
    ),
    Plot(
        "Stability: how often each pixel is chosen again",
        "stability",
        "Map of the pixels by the share of bootstrap samples that choose them",
        folded=False,
    ),
    Plot("The worst mistakes", "mistakes", "The worst mistakes"),
    Plot("The least certain answers", "uncertain", "The least certain answers"),
]


def _pictures(found: Comparison) -> Iterator[Part]:
    """Each picture of both sides, and one that is drawn of both; once if it is the same."""
    for plot in PLOTS:
        path = f"plots/{plot.name}.png"
        before, now = found.base.read(path), found.head.read(path)
        if before == now:
            if now is not None:
                caption = "before and now, the same bytes"
                same = _committed(found.head, path, caption, plot.alt, now)
                yield Details(f"{plot.title}: the same picture", [[same]])
            continue
        pictures = [
            _committed(side, path, f"{when}: {code(side.name)}", f"{plot.alt}, {when}", data)
            for side, when, data in ((found.base, "before", before), (found.head, "now", now))
            if data is not None
        ]
        drawn = plot.drawn(found)
        if plot.folded and drawn is None:
            yield Details(f"{plot.title}, before and now", [pictures])
            continue
        yield f"## {plot.title}"
        if isinstance(drawn, str):
            yield text(drawn)
        elif drawn and plot.folded:
            yield [drawn]
        elif drawn:
            pictures.append(drawn)
        yield Details("Both pictures", [pictures]) if plot.folded else pictures


def _committed(revision: Revision, path: str, caption: str, alt: str, data: bytes) -> Picture:
    commit = revision.commit_of(path)
    address = picture_address(origin(), commit, path) if commit else None
    return Picture(caption, alt, data, address, path)


def _changes(found: Comparison) -> Iterator[Part]:
    """What changed, and whether the results are what the code gives."""
    told = found.reproduced
    yield f"## Reproduced: {told.word}"
    yield text(f"{told.why[0].upper()}{told.why[1:]}.")
    if found.stages:
        lines = []
        for stage in found.stages:
            own = ["its params"] * stage.params + ["its command"] * stage.command
            own = ", ".join([*own, *map(code, stage.code)]) or "–"
            data = ", ".join(map(code, stage.data)) or "–"
            results = ", ".join(map(code, stage.results)) or "none: the same bytes"
            lines.append([code(stage.name), own, data, results])
        header = ["stage", "its own change", "other data to read", "other results"]
        yield Details(f"Stages that differ in `dvc.lock`: {len(lines)}", [table(header, lines)])
    else:
        yield "`dvc.lock` is the same: no code, param, data or result differs."
    if found.files:
        names = {"A": "new", "D": "gone", "M": "changed", "T": "changed"}
        files = [[code(path), names.get(status, status)] for status, path in found.files]
        parts: list[Part] = [table(["file", "change"], files[:FILES])]
        if files[FILES:]:
            parts.append(f"And {len(files) - FILES} more.")
        yield Details(f"Files that differ in git, results aside: {len(files)}", parts)
