"""The first sentence of the report: what changed and what it did."""

import re
from typing import Any

from tools.report.comparison import ACCURACY, Comparison
from tools.report.markdown import MOST, code, some
from tools.report.metrics import Metric
from tools.report.paired import Paired


def sentence(found: Comparison) -> str:
    """One sentence, true and enough."""
    said = f"{what(found)}: {did(found)}."
    if found.reproduced.holds is False:
        as_it_is = said[0].lower() + said[1:]
        return f"**Not reproduced** ({found.reproduced.why}). As it stands, {as_it_is}"
    return said[0].upper() + said[1:]


def what(found: Comparison) -> str:
    """Which params, code or data differ."""
    said = [
        f"{code(key)} {' → '.join(map(_in_words, param_values(found, key)))}"
        for key in found.params
    ]
    if found.code:
        said.append(f"the code of {some(found.code)}")
    if commands := [stage.name for stage in found.stages if stage.command]:
        said.append(f"the command of {some(commands)}")
    if said:
        return "; ".join(said[:MOST]) + f" and {len(said) - MOST} more" * (len(said) > MOST)
    if found.results:
        return "Results differ, no code and no param"
    if found.files:
        files = len(found.files)
        return f"{files} file{'s' * (files != 1)} changed, no code, param or data of the pipeline"
    return "No code, param or data changed"


def did(found: Comparison) -> str:
    """What it did to accuracy, answers, the choice of C, and sparsity."""
    old, new = found.before, found.after
    differing = [name for name in old | new if old.get(name) != new.get(name)]
    same = isinstance(found.pairs, Paired) and not found.pairs.differ
    if not differing and not found.results and same:
        return "every result is the same, byte for byte"
    accuracy, weights = found.metrics[ACCURACY], "interpret.weights.nonzero"
    if not differing and same:
        still = f"test accuracy {accuracy.shown(new[ACCURACY])}, {new.get(weights)} weights"
        verb = "differs" if len(found.results) == 1 else "differ"
        return f"no metric and no answer changed ({still}), {some(found.results)} {verb}"
    said = [_accuracy(found, accuracy), _answers(found.pairs)]
    best = "gridsearch.best.C"
    if old.get(best) != new.get(best):
        said.append(f"best C {old.get(best)} → {new.get(best)}")
    if None not in (old.get(weights), new.get(weights)):
        same_weights = old[weights] == new[weights]
        counts = f"{new[weights]} weights" + " as before" * same_weights
        said.append(counts if same_weights else f"{old[weights]} → {counts}")
    return "; ".join(said)


def _accuracy(found: Comparison, metric: Metric) -> str:
    old, new = found.before[ACCURACY], found.after[ACCURACY]
    if old == new:
        return f"test accuracy {metric.shown(new)} as before"
    return f"test accuracy {metric.shown(old).removesuffix(' %')} → {metric.shown(new)}"


def _answers(pairs: Paired | str) -> str:
    if isinstance(pairs, str):
        return f"not paired ({pairs})"
    if not pairs.differ:
        return "every answer the same"
    verdict = "" if pairs.p < 0.05 else ", no more than chance may do"
    return f"{pairs}{verdict}"


def param_values(found: Comparison, key: str) -> list[str]:
    """A param before and now; in place of no `train.C` what the search found."""
    shown = []
    for value, metrics in zip(found.params[key], (found.before, found.after), strict=True):
        if key == "train.C" and value is None and "train.C" in metrics:
            shown.append(f"the search's best ({metrics['train.C']})")
        else:
            shown.append(shown_value(value))
    return shown


def _in_words(value: str) -> str:
    """Plain where no sign in it could be taken for anything else."""
    return value if re.fullmatch(r"[\w., +'()-]*", value) else code(value)


def shown_value(value: Any) -> str:
    """A param's value; of a long list its length and its ends."""
    if isinstance(value, list):
        if len(value) > 6:
            return f"{len(value)} values from {value[0]} to {value[-1]}"
        return ", ".join(map(str, value))
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return str(value)
