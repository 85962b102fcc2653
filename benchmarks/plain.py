"""The article in one file, as one would write it without DVC: what the pipeline is timed beside.

    python -m benchmarks.plain

Search C by GridSearchCV over LinearSVC, fit, print the two accuracies, draw the weights.
"""

import tempfile
from pathlib import Path

from benchmarks.data import CS, load


def main():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import LinearSVC

    X, y, X_test, y_test = load(test=True)
    svc = LinearSVC(penalty="l1", loss="squared_hinge", dual=False, random_state=0)
    search = GridSearchCV(svc, {"C": CS}, cv=5).fit(X, y)
    model = search.best_estimator_
    print(search.best_params_["C"], model.score(X, y), model.score(X_test, y_test))
    plt.imshow(model.coef_.reshape(28, 28), cmap="RdBu")
    plt.colorbar()
    with tempfile.TemporaryDirectory() as folder:
        plt.savefig(Path(folder, "weights.png"))


if __name__ == "__main__":
    main()
