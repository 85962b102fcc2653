"""How every picture looks, and the one language of colour of pictures, charts and the explorer.

Colours stand for roles, never for digits:

- red, the negative class; blue, the positive class: scores, weights, contributions, differences.
- purple, an amount: how often, how many.
- ink and grey, what is no class: images, training (dashed) and test (solid), marks, frames.
- teal, ochre, brown: revisions, in charts that compare them (.dvc/plots holds these charts).

Red and blue of one weight are equally dark: a print in grey shows its size, not its sign.
"""

import io
from typing import Any

import matplotlib
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import AsinhNorm, Colormap
from matplotlib.figure import Figure

NEGATIVE, POSITIVE = "#B2182B", "#2166AC"  # of ColorBrewer's RdBu, as the scale of weights
INK, GREY = "#202124", "#5F6368"
ZERO = "#C9CBCE"  # a weight that is exactly 0, beside the white of a small one
REVISIONS = ("#00796B", "#B26A00", "#6D4C41")
AMOUNT = colormaps["Purples"]

# Weights span three orders of magnitude: linear up to LINEAR, logarithmic beyond; a larger weight
# has the colour of LARGEST. The same on every run, so that two pictures can be compared.
LINEAR, LARGEST = 0.1, 2.0
WEIGHT_TICKS = (-2, -1, -0.5, -0.2, -0.1, 0, 0.1, 0.2, 0.5, 1, 2)
# ColorBrewer's RdBu, which matplotlib's own of that name interpolates linearly.
RED_TO_BLUE = (
    *("#67001F", "#B2182B", "#D6604D", "#F4A582", "#FDDBC7", "#F7F7F7"),
    *("#D1E5F0", "#92C5DE", "#4393C3", "#2166AC", "#053061"),
)

_STYLE: Any = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 10,
    "text.parse_math": False,  # a $ in the name of a class is a $
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def weight_norm() -> AsinhNorm:
    """From a weight to its place on the scale of colours, 0 to 1."""
    return AsinhNorm(LINEAR, -LARGEST, LARGEST)


def weight_colours(zero: str = ZERO) -> Colormap:
    """The colours of weights; masked ones, exactly 0, have the colour `zero`."""
    return colormaps["RdBu"].with_extremes(bad=zero)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` x `height` inches, 150 pixels each, in the common style."""
    matplotlib.rcdefaults()  # nothing of the user's own matplotlibrc
    matplotlib.rcParams.update(_STYLE)
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # draws without a screen, and without pyplot's list of open figures
    return figure


def headline(figure: Figure, text: str) -> None:
    """What the picture shows, above it, on the left."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=12, fontweight="bold")


def footnote(figure: Figure, text: str) -> None:
    """How to read the picture, in one line below it."""
    figure.supxlabel(text, fontsize=9, color=GREY)


def legend_below(figure: Figure, *handles: Artist) -> None:
    """What the marks mean, in one line below the picture."""
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        handlelength=1,
        handleheight=1,
    )


def png(figure: Figure) -> bytes:
    """The figure as PNG, with no date and no version inside."""
    # savefig would draw all of it twice, the first time for the layout alone
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()
