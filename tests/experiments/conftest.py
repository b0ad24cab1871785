"""What the tests of all scripts share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Three classes of small images that are easy to tell apart."""
    generator = np.random.default_rng(0)
    labels = np.arange(160) % 3
    images = generator.integers(0, 90, (160, 8, 8, 3))
    images[np.arange(160), :, :, labels] += 120
    path = tmp_path_factory.mktemp("data") / "images.npz"
    np.savez(path, images=images.astype("uint8"), labels=labels)
    return path
