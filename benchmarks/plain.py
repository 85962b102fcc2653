"""The article in one file, as one would write it without DVC: what the pipeline is timed beside.

    python -m benchmarks.plain

Search C by GridSearchCV over LinearSVC, fit, print the two accuracies, draw the weights.
"""

import tempfile
from pathlib import Path

import numpy as np

IMAGES = Path("data/raw/images.npz")  # MNIST, as `make repro` saves it


def main():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import LinearSVC

    # Keep the 5s and the 8s, one row of 784 pixels from 0 to 1 an image.
    mnist = np.load(IMAGES)
    rows = {}
    for part in ("train", "test"):
        labels = mnist[f"y_{part}"]
        kept = np.isin(labels, (5, 8))
        rows[part] = mnist[f"x_{part}"][kept].reshape(-1, 784) / 255.0, labels[kept]

    # Search C by cross-validation; the best C is fitted once more, on all training images.
    svc = LinearSVC(penalty="l1", loss="squared_hinge", dual=False, random_state=0)
    search = GridSearchCV(svc, {"C": (0.025, 0.05, 0.1, 0.2, 0.4)}, cv=5).fit(*rows["train"])
    model = search.best_estimator_
    print(search.best_params_["C"], model.score(*rows["train"]), model.score(*rows["test"]))

    # A weight for each pixel: red speaks for a 5, blue for an 8.
    plt.imshow(model.coef_.reshape(28, 28), cmap="RdBu")
    plt.colorbar()
    with tempfile.TemporaryDirectory() as folder:
        plt.savefig(Path(folder, "weights.png"))


if __name__ == "__main__":
    main()
