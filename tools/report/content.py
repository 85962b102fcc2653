"""The report's parts, in their order, from a comparison."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from figures.difference import difference
from figures.overlay import Curves, overlay
from figures.style import png
from figures.tiles import contributions_tile, image_tile
from figures.words import with_article
from pipeline.artifacts import load_arrays
from tools.report.blocks import (
    Block,
    Card,
    Cards,
    Details,
    Heading,
    Picture,
    Pictures,
    Table,
    Text,
    code,
    plain,
)
from tools.report.comparison import ACCURACY, Comparison
from tools.report.metrics import DOCS, SHORT, rows
from tools.report.paired import IMAGES, SCORES, Paired
from tools.report.revision import Revision, origin, picture_address
from tools.report.sentence import param_values, sentence, shown_p

WEIGHTS, CURVE, PATH = "plots/weights.csv", "plots/validation_curve.csv", "plots/path.csv"
SHOWN = 24  # images at once; the others are folded
MOST = 120  # images as pictures, or the page grows too large


def blocks(found: Comparison) -> list[Block]:
    """All of the report below its title."""
    return [
        Text(sentence(found), lead=True),
        *_gate(found),
        *_metrics(found),
        *_params(found),
        *_answers(found),
        *_pictures(found),
        *_changes(found),
    ]


def _gate(found: Comparison) -> list[Block]:
    if not found.judged:
        return []
    red = [line for line in found.judged if line.red]
    table = Table(
        ["limit", "verdict", "what was found"],
        [
            [
                code(line.limit),
                f"**{line.word}**" if line.word in ("RED", "waived") else line.word,
                line.why
                + (
                    f"; waived by {line.waiver.where}: {code(line.waiver.reason)}"
                    if line.waiver and line.word == "waived"
                    else ""
                ),
            ]
            for line in found.judged
        ],
    )
    waived = sum(line.word == "waived" for line in found.judged)
    untold = sum(line.holds is None for line in found.judged)
    said = f"{len(red)} of {len(found.judged)} limits crossed" if red else "green"
    said += f", {waived} waived" * bool(waived) + f", {untold} not told" * bool(untold)
    if red or waived or untold:
        return [Heading(f"The gate: {said}"), table]
    return [
        Heading("The gate: green"),
        Details(f"All {len(found.judged)} limits of `gate.yaml`", [table]),
    ]


def _metrics(found: Comparison) -> list[Block]:
    table = rows(found.metrics, found.before, found.after)
    header = ["metric", "before", "now", "difference", "verdict"]
    right = frozenset({1, 2, 3})

    def lines(names: Sequence[str]) -> list[list[str]]:
        return [[code(row[0]), *row[1:4], _strong(row[4])] for row in map(table.__getitem__, names)]

    changed = [name for name, row in table.items() if row[4] != "same"]
    short = [name for name in SHORT if name in table]
    said = f"{len(changed)} of {len(table)} metrics differ" if changed else "No metric differs"
    other = (
        " Answers are not paired: better and worse may be of two different tasks."
        if isinstance(found.pairs, str)
        else ""
    )
    return [
        Heading("Metrics"),
        Text(f"{said}. What each is, and which way is better: `{DOCS}`." + other),
        Table(header, lines(short), right),
        Details(f"All {len(table)} metrics", [Table(header, lines(list(table)), right)]),
    ]


def _strong(verdict: str) -> str:
    return f"**{verdict}**" if verdict in ("better", "worse") else verdict


def _params(found: Comparison) -> list[Block]:
    if not found.params:
        return [Heading("Params"), Text("No param differs.")]
    table = [[code(key), *map(code, param_values(found, key))] for key in found.params]
    return [Heading("Params"), Table(["param", "before", "now"], table)]


def _answers(found: Comparison) -> list[Block]:
    title = Heading("The same test images, answer by answer")
    pairs = found.pairs
    if isinstance(pairs, str):
        return [
            title,
            Text(
                f"Not compared: {pairs}. Only where classes and images are equal can answers be "
                "paired; the two accuracies may be of different questions."
            ),
        ]
    wrong, right = pairs.newly_wrong, pairs.newly_right
    before = int((~pairs.before.right).sum())
    n = len(pairs.after.actual)
    parts: list[Block] = [
        title,
        Table(
            ["of " + f"{n:,} test images", "now right", "now wrong"],
            [
                ["right before", str(n - before - len(wrong)), f"**{len(wrong)}** newly wrong"],
                ["wrong before", f"**{len(right)}** newly right", str(before - len(right))],
            ],
        ),
    ]
    if len(wrong) + len(right):
        parts.append(
            Text(
                f"McNemar's exact test, of both sides: p = {shown_p(pairs.p)}. Were the two models "
                f"equally good, {len(wrong)} to {len(right)}, or a more uneven split of "
                f"{len(wrong) + len(right)} images, would come up with this probability. "
                + _intervals(found)
            )
        )
    else:
        moved = int((pairs.before.score != pairs.after.score).sum())
        scores = f"{moved:,} scores" if moved else "no score"
        parts.append(Text(f"No answer changed; {scores} did."))
    images = _images(found.head)
    for which, name in ((wrong, "newly wrong"), (right, "newly right")):
        parts += _cards(found, pairs, which, name, images)
    return parts


def _intervals(found: Comparison) -> str:
    """What the 95 % intervals of the two accuracies say, and what they do not."""
    ends = [
        [side.get(f"{ACCURACY}_95.{end}") for end in ("low", "high")]
        for side in (found.before, found.after)
    ]
    if None in ends[0] + ends[1]:
        return ""
    (low, high), (now_low, now_high) = ends
    overlap = "overlap" if low <= now_high and now_low <= high else "do not overlap"
    shown = " and ".join(f"{100 * a:.2f} to {100 * b:.2f} %" for a, b in ends)
    return (
        f"The 95 % intervals of the two accuracies, {shown}, {overlap}; they cannot tell: they "
        "take the images for two separate samples, and hide differences such as these."
    )


def _images(head: Revision) -> dict[str, np.ndarray] | None:
    """The test images and their places, if they are here."""
    if head.md5s.get(IMAGES) is None or not Path(IMAGES).exists():
        return None
    return load_arrays(Path(IMAGES), "X_test", "index_test")


def _cards(
    found: Comparison,
    pairs: Paired,
    which: np.ndarray,
    name: str,
    images: dict[str, np.ndarray] | None,
) -> list[Block]:
    """The images that changed sides, those whose score moved most first."""
    if not len(which):
        return []
    moved = np.abs(pairs.after.score - pairs.before.score)[which]
    order = which[np.argsort(-moved, kind="stable")]
    weights = [_weights(revision) for revision in (found.base, found.head)]
    cards = []
    for k in order[:MOST]:
        index = f"no. {images['index_test'][k]}" if images else f"row {k + 1} of `{SCORES}`"
        tiles: list[tuple[str, bytes]] = []
        if images:
            x = images["X_test"][k] / 255
            tiles = [("image", image_tile(x))]
            if all(w is not None and w.shape == x.shape for w in weights):
                tiles += [
                    (what, contributions_tile(w, x))
                    for what, w in zip(("before", "now"), weights, strict=True)
                    if w is not None
                ]
        was, now = (answers.read_as(k) for answers in (pairs.before, pairs.after))
        actual = pairs.after.actual[k]
        moved_from, moved_to = (_score(answers.score[k]) for answers in (pairs.before, pairs.after))
        cards.append(
            Card(
                tiles,
                [
                    plain(f"{with_article(actual)}, read as {with_article(was)}, now as {now}"),
                    f"score {moved_from} → {moved_to}; {index}",
                ],
            )
        )
    left = len(which) - len(cards)
    note: list[Block] = [] if images else [Text(f"`{IMAGES}` is not here: `make repro` brings it.")]
    rest: list[Block] = [Cards(cards[SHOWN:])] if cards[SHOWN:] else []
    if left:
        rest.append(Text(f"{left} more are in `{SCORES}`."))
    summary = f"The {len(which)} {name}" if len(which) > 1 else f"The one {name}"
    return [
        Details(
            f"{summary}: image, and what its pixels add to the score, before and now",
            [*note, Cards(cards[:SHOWN]), *rest],
            shown=True,
        )
    ]


def _score(score: float) -> str:
    return (f"{score:+.2f}" if abs(score) >= 0.01 else f"{score:+.1g}").replace("-", "−")


def _weights(revision: Revision) -> np.ndarray | None:
    """(height, width) of plots/weights.csv, if there is one."""
    pixels = revision.table(WEIGHTS)
    if not pixels:
        return None
    shape = [int(pixels[-1][side]) + 1 for side in ("row", "column")]
    return np.reshape([float(pixel["weight"]) for pixel in pixels], shape)


# Pictures: the committed ones of both sides, and those that need both.


def _pictures(found: Comparison) -> list[Block]:
    return [
        *_beside(
            found, "The weights", "plots/weights.png", "Heatmap of the weights", _difference(found)
        ),
        *_beside(
            found,
            "The search for C",
            "plots/validation_curve.png",
            "Validation curves",
            _overlaid(found, CURVE),
            folded=True,
        ),
        *_beside(
            found,
            "The path over C",
            "plots/path.png",
            "Heatmaps of the weights at twelve values of C",
            _overlaid(found, PATH),
            folded=True,
        ),
        *_beside(
            found,
            "The order in which pixels begin to count",
            "plots/entry.png",
            "Map of the C at which each pixel begins to count",
            None,
            folded=True,
        ),
        *_beside(
            found,
            "Stability: how often each pixel is chosen again",
            "plots/stability.png",
            "Map of the pixels by the share of bootstrap samples that choose them",
            None,
        ),
        *_beside(
            found,
            "The worst mistakes",
            "plots/mistakes.png",
            "The worst mistakes",
            None,
            folded=True,
        ),
        *_beside(
            found,
            "The least certain answers",
            "plots/uncertain.png",
            "The least certain answers",
            None,
            folded=True,
        ),
    ]


Drawn = Picture | str | None  # a picture of both, why there is none, or nothing to draw


def _beside(
    found: Comparison, title: str, path: str, alt: str, drawn: Drawn, folded: bool = False
) -> list[Block]:
    """A committed picture of both sides, and one that is drawn of both; once if it is the same."""
    sides = [(found.base, "before"), (found.head, "now")]
    data = [revision.read(path) for revision, _ in sides]
    if data[0] == data[1]:
        if data[1] is None:
            return []
        same = _committed(found.head, path, "before and now, the same bytes", alt, data[1])
        return [Details(f"{title}: the same picture", [Pictures([same])])]
    pictures = [
        _committed(revision, path, plain(f"{when}: {revision.name}"), f"{alt}, {when}", png_)
        for (revision, when), png_ in zip(sides, data, strict=True)
        if png_ is not None
    ]
    if folded and drawn is None:
        return [Details(f"{title}, before and now", [Pictures(pictures)])]
    parts: list[Block] = [Heading(title)]
    if isinstance(drawn, str):
        parts.append(Text(drawn))
    if folded:
        if isinstance(drawn, Picture):
            parts.append(Pictures([drawn]))
        parts.append(Details("Both pictures", [Pictures(pictures)]))
        return parts
    both = [*pictures, drawn] if isinstance(drawn, Picture) else pictures
    return [*parts, Pictures(both)]


def _committed(revision: Revision, path: str, caption: str, alt: str, data: bytes) -> Picture:
    commit = revision.commit_of(path)
    address = picture_address(origin(), commit, path) if commit else None
    return Picture(caption, alt, data, address, path)


def _difference(found: Comparison) -> Drawn:
    if isinstance(found.pairs, str):
        return f"No difference of the weights: {found.pairs}."
    weights = [_weights(revision) for revision in (found.base, found.head)]
    before, after = weights
    if before is None or after is None or before.shape != after.shape:
        return f"No difference of the weights: `{WEIGHTS}` is missing, or of another size."
    figure = difference(before, after, found.pairs.after.classes)
    return Picture(
        "the difference: now − before", "Heatmap of the difference of the weights", png(figure)
    )


def _overlaid(found: Comparison, table: str) -> Drawn:
    revisions = [found.base, found.head]
    tables = [revision.table(table) for revision in revisions]
    if tables[0] == tables[1]:
        return None
    if not all(tables):
        return f"Not overlaid: `{table}` of one of the two is missing."
    # the few values of the grid are told apart, every C of both is not
    tables = [[row for row in rows_ if row.get("kind") != "every C"] for rows_ in tables]
    names = [f"before ({found.base.name})", f"now ({found.head.name})"]
    search = table == CURVE
    if search:
        scorings = [rows_[0].get("scoring", "accuracy") for rows_ in tables]
        if scorings[0] != scorings[1]:
            return "Not overlaid: `gridsearch.scoring` {} → {}.".format(*scorings)
        score, title, mark = scorings[1].replace("_", " "), "The search, before and now", "best"
    else:
        score, title, mark = "accuracy", "The path, before and now", "trained at"
    curves = {name: _curves(rows_, search) for name, rows_ in zip(names, tables, strict=True)}
    caption = f"{title}: scores and numbers of weights over C"
    return Picture(caption, caption, png(overlay(title, score, mark, curves)))


def _curves(table: list[dict[str, str]], search: bool) -> Curves:
    names = (
        ("mean_train_score", "mean_test_score", "mean_nonzero", "best")
        if search
        else ("train_accuracy", "test_accuracy", "nonzero", "trained")
    )
    C, trained, tested, nonzero, chosen = (
        np.array([float(row[name]) for row in table]) for name in ("C", *names)
    )
    return Curves(C, trained, tested, nonzero, float(C[np.argmax(chosen)]))


# What changed, and whether it is what the code gives.


def _changes(found: Comparison) -> list[Block]:
    told = found.reproduced
    parts: list[Block] = [
        Heading(f"Reproduced: {told.word}"),
        Text(told.why[0].upper() + told.why[1:] + "."),
    ]
    if found.stages:
        made = found.base.md5s.keys() | found.head.md5s.keys()
        table = []
        for stage in found.stages:
            own = ["its params"] * stage.params + [
                code(dep) if dep != "its command" else dep for dep in stage.deps if dep not in made
            ]
            others = [code(dep) for dep in stage.deps if dep in made]
            table.append(
                [
                    code(stage.name),
                    ", ".join(own) or "–",
                    ", ".join(others) or "–",
                    ", ".join(map(code, stage.results)) or "none: the same bytes",
                ]
            )
        header = ["stage", "its own change", "other data to read", "other results"]
        summary = f"Stages that differ in `dvc.lock`: {len(found.stages)}"
        parts.append(Details(summary, [Table(header, table)]))
    else:
        parts.append(Text("`dvc.lock` is the same: no code, param, data or result differs."))
    if found.files:
        names = {"A": "new", "D": "gone", "M": "changed", "T": "changed"}
        table = [[code(path), names.get(status, status)] for status, path in found.files[:200]]
        more = len(found.files) - len(table)
        listed: list[Block] = [Table(["file", "change"], table)]
        if more:
            listed.append(Text(f"And {more} more."))
        parts.append(
            Details(f"Files that differ in git, results aside: {len(found.files)}", listed)
        )
    return parts
