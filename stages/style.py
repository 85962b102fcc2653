"""How every picture looks: the same size, fonts and colours on every run and machine."""

import matplotlib

matplotlib.use("Agg")  # draws without a screen

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure

# Of Okabe and Ito's palette: told apart by colour-blind people, and in grey.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#5F6368"
ZERO = "#C9CBCE"  # a weight that is exactly 0, beside the white of a small one
WEIGHTS = "RdBu"  # red below 0, white at 0, blue above

_STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#202124",
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def legend_below(figure: Figure, *handles: Artist) -> None:
    """What the marks mean, in one line under the picture."""
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        handlelength=1,
        handleheight=1,
    )


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` x `height` inches, 150 pixels each, in the common style."""
    plt.rcdefaults()  # nothing of the user's own matplotlibrc
    plt.rcParams.update(_STYLE)
    return plt.figure(figsize=(width, height), layout="constrained")
