"""What is computed beyond a stage.

n images, p pixels, k folds or points of the path, m values of C or corners of it, t turns, u steps.
"""
