"""Pictures that a run leaves behind: its curves, its views, its features.

What draws is imported inside functions, so that importing this costs nothing.
"""

import pathlib

import numpy as np

# More points take t-SNE minutes, and hide each other.
MOST_POINTS = 2000
# Below this, neighbourhoods are too small for t-SNE to mean anything.
FEWEST_POINTS_FOR_TSNE = 50
# More names than this do not fit beside a picture.
MOST_NAMED_CLASSES = 20
# An enlarged sheet is at most this wide or high, in pixels.
SHEET_SIZE = 1600

# Told apart by people with any colour vision (P. Tol's muted scheme, its
# pale grey darkened); shapes tell classes apart where colours come again.
CLASS_COLOURS = (
    "#332288",
    "#cc6677",
    "#ddcc77",
    "#117733",
    "#88ccee",
    "#882255",
    "#44aa99",
    "#999933",
    "#aa4499",
    "#77777f",
)
CLASS_MARKERS = ("o", "^")
LINE_COLOURS = ("#1f6fb5", "#c34a12", "#07805f")

# Panels of a run's curves: title, and what is drawn in it.
PANELS = (
    ("Loss", {"loss": "loss"}),
    ("Contrastive accuracy", {"contrastive_accuracy": "training"}),
    (
        "Against labels",
        {
            "knn_accuracy": "kNN",
            "clustering_accuracy": "clustering",
        },
    ),
    ("Learning rate", {"learning_rate": "learning rate"}),
)


def draw_curves(metrics, path):
    """Draws what a run logged at each epoch.

    Args:
        metrics: list of dicts, one an epoch, with "epoch" and any of "loss",
            "contrastive_accuracy", "knn_accuracy",
            "clustering_accuracy", "learning_rate".
        path: path of the PNG file to write.

    Example:

    ```python
    draw_curves([{"epoch": 1, "loss": 5.2}, {"epoch": 2, "loss": 4.9}],
                "curves.png")
    ```
    """
    panels = [
        (title, lines)
        for title, names in PANELS
        if (lines := _lines(metrics, names))
    ]
    figure = _figure(3.6 * max(len(panels), 1), 3.0)
    if not panels:
        figure.text(0.5, 0.5, "No epoch was finished.", ha="center")
    for place, (title, lines) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), place)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _plain_axes(axes)
        for colour, (name, epochs, values) in zip(LINE_COLOURS, lines):
            # A single epoch has no line to be seen by.
            marker = "o" if len(values) == 1 else None
            axes.plot(epochs, values, color=colour, label=name, marker=marker)
        if len(lines) > 1:
            axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def draw_embedding(features, labels, class_names, path, seed=0):
    """Draws features in two dimensions, coloured by class.

    t-SNE, begun from the first two principal components, of at most 2,000
    images chosen by seed; the principal components themselves where there
    are fewer than 50 images, or too little variation for neighbourhoods. The
    title says which.

    Args:
        features: float array `(N, dim)`.
        labels: int array `(N,)`, or None without labels.
        class_names: sequence of str, names of the labels 0, 1, ...; or None.
        path: path of the PNG file to write.
        seed: int, of the choice of images and of t-SNE.

    Raises:
        ValueError: if features is not a matrix, or labels are not one a row.

    Reference:
        van der Maaten and Hinton 2008,
        https://www.jmlr.org/papers/v9/vandermaaten08a.html
    """
    features = np.asarray(features, "float32")
    labels = None if labels is None else np.asarray(labels)
    _check_embedding(features, labels)
    if len(features) > MOST_POINTS:
        generator = np.random.default_rng(seed)
        chosen = np.sort(
            generator.choice(len(features), MOST_POINTS, replace=False)
        )
        features = features[chosen]
        labels = None if labels is None else labels[chosen]
    points, method = _plane(features, seed)
    figure = _figure(4.6, 3.4, dpi=230)
    axes = figure.add_subplot()
    axes.set_title(
        f"{method} of {len(points):,} images", loc="left", fontsize=10
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    for spine in axes.spines.values():
        spine.set_color("#d9d6cf")
    _scatter(axes, points, labels, class_names)
    _save(figure, path)


def draw_views(sheet_array, path):
    """Writes a sheet of views, enlarged so that small images can be seen.

    Args:
        sheet_array: uint8 array `(H, W, 3)`, `(H, W, 1)` or `(H, W)`.
        path: path of the PNG file to write; each pixel of the sheet becomes a
            square of up to 4 by 4 pixels.

    Raises:
        ValueError: if the sheet is not a picture of uint8.
    """
    from PIL import Image

    sheet = np.asarray(sheet_array)
    is_picture = sheet.ndim == 2 or (
        sheet.ndim == 3 and sheet.shape[2] in (1, 3)
    )
    if sheet.dtype != np.uint8 or not is_picture or not sheet.size:
        raise ValueError(
            "`sheet_array` must be a uint8 picture (H, W, 3), (H, W, 1) or "
            f"(H, W), received {sheet.dtype} {sheet.shape}; scale floats to "
            "0..255 first."
        )
    if sheet.ndim == 3 and sheet.shape[2] == 1:
        sheet = sheet[:, :, 0]
    factor = int(np.clip(SHEET_SIZE // max(sheet.shape[:2]), 1, 4))
    sheet = sheet.repeat(factor, axis=0).repeat(factor, axis=1)
    Image.fromarray(sheet).save(pathlib.Path(path), format="PNG", optimize=True)


def _lines(metrics, names):
    """(name, epochs, values) of each metric that was logged at all."""
    lines = []
    for key, name in names.items():
        points = [
            (epoch.get("epoch", index), epoch[key])
            for index, epoch in enumerate(metrics, start=1)
            if isinstance(epoch.get(key), (int, float))
        ]
        if points:
            lines.append((name, *zip(*points)))
    return lines


def _figure(width, height, dpi=150):
    """A figure of its own, which no list of open figures keeps alive."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure, path):
    figure.savefig(pathlib.Path(path), format="png", facecolor="white")


def _plain_axes(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9a9da3")
    axes.tick_params(colors="#59616c", labelsize=8)
    axes.grid(axis="y", color="#e9e6df", linewidth=0.8)


def _check_embedding(features, labels):
    if features.ndim != 2 or not features.size:
        raise ValueError(
            "`features` must be a matrix (images, dim), received shape "
            f"{features.shape}; give one row an image."
        )
    if labels is not None and labels.shape != features.shape[:1]:
        raise ValueError(
            f"`labels` must have the shape ({len(features)},), one a row of "
            f"`features`, received {labels.shape}; give None if there are "
            "none."
        )


def _plane(features, seed):
    """Two coordinates for each row, and the name of what made them."""
    # Features that are not finite have no place; zero is where they least
    # disturb the others.
    features = np.nan_to_num(features, posinf=0.0, neginf=0.0)
    components = _principal_components(features, 50)
    varying = components.std(axis=0) > 1e-6 * (1 + np.abs(features).max())
    if len(features) < FEWEST_POINTS_FOR_TSNE or varying.sum() < 2:
        return components[:, :2], "PCA"
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    method = TSNE(
        init="pca",
        perplexity=min(30.0, len(features) / 4),
        max_iter=500,
        random_state=seed,
    )
    # Threads that wait for each other on a busy machine make it slower: on
    # two cores, 2,000 points took 17 s with two threads and 7 s with one.
    with threadpool_limits(1):
        return method.fit_transform(components), "t-SNE"


def _principal_components(features, most):
    """Coordinates along the directions of largest variance, at least two."""
    centred = features - features.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    components = (left * scale)[:, :most]
    missing = max(0, 2 - components.shape[1])
    return np.pad(components, ((0, 0), (0, missing)))


def _scatter(axes, points, labels, class_names):
    if labels is None:
        axes.scatter(*points.T, s=7, linewidths=0, color=LINE_COLOURS[0])
        return
    classes = np.unique(labels)
    if len(classes) > MOST_NAMED_CLASSES:
        axes.scatter(*points.T, s=7, linewidths=0, c=labels, cmap="viridis")
        axes.set_xlabel(
            f"{len(classes)} classes, coloured in their order", fontsize=9
        )
        return
    for index, label in enumerate(classes):
        named = class_names is not None and 0 <= label < len(class_names)
        repeat, colour = divmod(index, len(CLASS_COLOURS))
        axes.scatter(
            *points[labels == label].T,
            s=8,
            linewidths=0,
            color=CLASS_COLOURS[colour],
            marker=CLASS_MARKERS[repeat],
            label=_legible(class_names[label] if named else label),
        )
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        fontsize=10,
        handletextpad=0.2,
        markerscale=1.8,
    )


def _legible(name):
    """A class's name as a legend takes it: short, and never mathematics."""
    name = " ".join(str(name).split()) or "(no name)"
    name = name if len(name) <= 16 else f"{name[:15]}…"
    # A legend leaves out what begins with an underscore.
    name = f" {name}" if name.startswith("_") else name
    return name.replace("$", r"\$")
