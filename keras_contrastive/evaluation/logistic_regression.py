"""Multinomial logistic regression for several penalties, warm-started.

    minimize  mean_i -log softmax(W^T x_i + b)[y_i] + (strength / 2) ||W||^2

with the intercept b free. That is scikit-learn's LogisticRegression with
C = 1 / (strength N), and the same optimum. L-BFGS walks in coordinates in
which the curvature at W = 0 is the identity, so that correlated features,
which networks give, do not slow it: tens of steps where hundreds are needed
without.

Reference: Boehning 1992 for the bound on the curvature that is used here.
"""

import numpy as np

from keras_contrastive.evaluation.threads import thread_pool

MAX_STEPS = 500
# Relative decrease of the objective that ends the search.
TOLERANCE = 1e-7
# Rows at a time: they stay in the processor's cache between the two products.
CHUNK = 4096


def logistic_regression_path(features, classes, num_classes, strengths):
    """Yields the optimum for each strength, each from the one before.

    Args:
        features: float32 array `(N, dim)`, standardized.
        classes: int array `(N,)` in [0, num_classes).
        num_classes: int.
        strengths: floats > 0, best in falling order.

    Yields:
        Tuple of float32 arrays: weights `(dim, num_classes)` and intercepts
        `(num_classes,)`.
    """
    from scipy.optimize import minimize

    count, dim = features.shape
    covariance = (features.T @ features).astype("float64") / count
    variances, axes = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0)
    weights, intercepts = np.zeros((dim, num_classes)), np.zeros(num_classes)
    chunks = [
        (features[start : start + CHUNK], classes[start : start + CHUNK])
        for start in range(0, count, CHUNK)
    ]
    with thread_pool() as pool:
        for strength in strengths:
            # 1 / num_classes is the mean of p (1 - p), roughly, at W = 0.
            scales = 1 / np.sqrt(variances / num_classes + strength)
            basis, inverse = axes * scales, axes / scales
            start = np.concatenate([inverse.T @ weights, intercepts[None]])
            found = minimize(
                _objective,
                start.ravel(),
                args=(chunks, num_classes, strength, basis, pool),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": MAX_STEPS, "ftol": TOLERANCE, "gtol": 1e-7},
            )
            parameters = found.x.reshape(dim + 1, num_classes)
            weights, intercepts = basis @ parameters[:-1], parameters[-1]
            yield weights.astype("float32"), intercepts.astype("float32")


def _objective(parameters, chunks, num_classes, strength, basis, pool):
    """The objective and its gradient at parameters in the given basis."""
    parameters = parameters.reshape(-1, num_classes)
    weights = basis @ parameters[:-1]
    loss = strength / 2 * np.square(weights).sum()
    gradient, intercepts = strength * weights, np.zeros(num_classes)
    count = sum(len(classes) for _, classes in chunks)
    weights, offsets = weights.astype("float32"), parameters[-1]
    offsets = offsets.astype("float32")[:, None]
    for part in pool.map(
        lambda chunk: _cross_entropy(*chunk, weights, offsets), chunks
    ):
        loss += part[0] / count
        gradient += part[1].T / count
        intercepts += part[2] / count
    gradient = np.concatenate([basis.T @ gradient, intercepts[None]])
    return loss, gradient.ravel()


def _cross_entropy(features, classes, weights, offsets):
    """Summed cross-entropy, its gradient by the weights and by the offsets."""
    # Classes first: reductions over a short last axis are slow.
    logits = np.ascontiguousarray((features @ weights).T)
    logits += offsets
    logits -= logits.max(axis=0)
    own = classes, np.arange(len(classes))
    loss = -logits[own].sum(dtype="float64")
    residuals = np.exp(logits, out=logits)
    totals = residuals.sum(axis=0)
    loss += np.log(totals).sum(dtype="float64")
    residuals /= totals
    residuals[own] -= 1
    return loss, residuals @ features, residuals.sum(axis=1, dtype="float64")
