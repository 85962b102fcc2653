"""Small multiples: the weights along the path of C."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from analysis.path import PathPoint
from figures.pixels import draw_weights
from figures.style import INK, footnote, headline, new_figure
from figures.words import with_article


def small_multiples(
    points: Sequence[PathPoint],
    shape: tuple[int, int],
    C: float,
    classes: tuple[str, str],
    columns: int = 4,
    rows: int = 3,
) -> Figure:
    """The weights at `columns` × `rows` values of C along the path, on one colour scale.

    Parameters
    ----------
    points : the path, the trained model included. Points are shown at even distances in this list,
        from first to last. The trained model replaces the nearest of them
    shape : height and width of the images
    C : the C of the trained model, which must be that of a point; its picture gets a frame
    classes : the classes that a negative and a positive weight speak for
    """
    places = np.linspace(0, len(points) - 1, columns * rows).round().astype(int)
    trained = [point.C for point in points].index(C)
    places[np.argmin(np.abs(places - trained))] = trained
    figure = new_figure(2.05 * columns, 2.5 * rows + 0.8)
    counts = [point.nonzero for point in points]
    headline(
        figure,
        f"C from {points[0].C:.2g} to {points[-1].C:.2g}: "
        f"{min(counts)} to {max(counts)} of {points[0].coef.size + 1} weights are not 0",
    )
    negative, positive = classes
    footnote(
        figure,
        f"Red speaks for {with_article(negative)}, blue for {with_article(positive)}; "
        "grey is exactly 0: not used.",
    )
    for place, axes in zip(places, figure.subplots(rows, columns).flat, strict=True):
        point = points[place]
        draw_weights(axes, point.coef.reshape(shape))
        axes.set(xticks=[], yticks=[])
        framed = point.C == C
        axes.spines[:].set(visible=framed, color=INK, linewidth=2)
        axes.set_title(f"C = {point.C:.2g}" + (" (trained)" if framed else ""), fontsize=10)
        weights = f"{point.nonzero} non-zero weight{'s' * (point.nonzero != 1)}"
        axes.set_xlabel(f"{weights}\ntest accuracy {point.test_accuracy:.1%}", fontsize=8.5)
    return figure
