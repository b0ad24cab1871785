"""CIFAR-10: prepared, downloaded, out of reach."""

import functools
import http.server
import io
import os
import pathlib
import shutil
import socket
import tarfile
import threading
import time

import numpy as np
import pytest

from keras_contrastive import data
from keras_contrastive.data import cifar10

tfds = pytest.importorskip(
    "tensorflow_datasets", reason="tensorflow-datasets is not installed"
)

NAMES = ("airplane automobile bird cat deer dog frog horse ship truck").split()
RNG = np.random.default_rng(0)
# Ten images in each of the six files of the original.
IMAGES = RNG.integers(0, 256, (60, 32, 32, 3), np.uint8)
LABELS = np.tile(np.arange(10), 6)


def write_archive(path):
    """The original's form: label, then red, green and blue planes."""
    files = [f"data_batch_{number}" for number in range(1, 6)]
    contents = {"batches.meta.txt": "\n".join(NAMES).encode()}
    for place, name in enumerate([*files, "test_batch"]):
        rows = slice(10 * place, 10 * place + 10)
        planes = IMAGES[rows].transpose(0, 3, 1, 2).reshape(10, -1)
        records = np.hstack([LABELS[rows, None].astype(np.uint8), planes])
        contents[f"{name}.bin"] = records.tobytes()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An address that serves a small archive as the original's does."""
    folder = tmp_path_factory.mktemp("site")
    write_archive(folder / "cifar-10-binary.tar.gz")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def prepared(site, tmp_path_factory):
    """A directory into which the small archive was downloaded."""
    from tensorflow_datasets.image_classification import cifar

    url = f"{site}/cifar-10-binary.tar.gz"
    original = cifar.Cifar10._cifar_info.fget
    directory = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cifar10, "_URL", url)
        patch.setattr(
            cifar.Cifar10,
            "_cifar_info",
            property(lambda self: original(self)._replace(url=url)),
        )
        cifar10.load_cifar10(directory)
    return directory


@pytest.fixture
def unreachable(monkeypatch):
    """No address may be asked: what follows needs prepared files."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}/cifar-10-binary.tar.gz"
    monkeypatch.setattr(cifar10, "_URL", url)
    return url


def test_downloaded_once_and_then_read(prepared, unreachable):
    dataset = data.load("cifar10", data_dir=prepared)
    assert dataset.name == "cifar10"
    assert dataset.class_names == tuple(NAMES)
    for part, start, stop in ((dataset.train, 0, 50), (dataset.test, 50, 60)):
        assert part.images.shape == (stop - start, 32, 32, 3)
        assert part.images.dtype == np.uint8
        assert part.labels.dtype == np.int32
        # Each image once, with its label, in whichever order of the files.
        same = (part.images[:, None] == IMAGES[None, start:stop]).all((2, 3, 4))
        rows = same.argmax(1)
        assert sorted(rows.tolist()) == list(range(stop - start))
        assert np.array_equal(LABELS[start:stop][rows], part.labels)


def test_the_order_is_always_the_same(prepared, unreachable):
    first, second = (data.load("cifar10", prepared).train for _ in range(2))
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.labels, second.labels)


def test_the_newest_version_is_read(prepared, unreachable, tmp_path):
    (version,) = (prepared / "cifar10").iterdir()
    for name in ("3.0.2", "3.0.10", "3.0.9", "4.0.0.incomplete"):
        shutil.copytree(version, tmp_path / "cifar10" / name)
    (tmp_path / "cifar10" / "5.0.0").mkdir()
    assert cifar10._prepared(tmp_path).name == "3.0.10"
    assert len(data.load("cifar10", data_dir=str(tmp_path)).train) == 50


def test_damaged_files(prepared, unreachable, tmp_path):
    shutil.copytree(prepared / "cifar10", tmp_path / "cifar10")
    (records,) = tmp_path.glob("cifar10/*/cifar10-train.*")
    records.write_bytes(records.read_bytes()[:-100])
    with pytest.raises(ValueError, match=f"files in {tmp_path}.* anew"):
        data.load("cifar10", data_dir=tmp_path)


def check_refusal(directory, host, seconds):
    started = time.monotonic()
    with pytest.raises(FileNotFoundError) as error:
        data.load("cifar10", data_dir=directory)
    assert time.monotonic() - started < seconds
    message = str(error.value)
    # What was looked for, where, and what to do, in one sentence.
    assert str(directory / "cifar10" / "VERSION") in message
    assert host in message
    for remedy in ("`data_dir`", "copy", "'digits'"):
        assert remedy in message
    assert "\n" not in message


def test_out_of_reach(unreachable, tmp_path, capfd):
    check_refusal(tmp_path, unreachable.split("/")[2], 5)
    # Nothing was tried that makes noise or leaves something behind.
    assert capfd.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_does_not_exist(monkeypatch, tmp_path):
    url = "https://nowhere.invalid/cifar-10-binary.tar.gz"
    monkeypatch.setattr(cifar10, "_URL", url)
    check_refusal(tmp_path, "nowhere.invalid", 8)


def test_a_host_that_does_not_answer(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(cifar10, "_URL", f"http://{host}/cifar10")
        monkeypatch.setattr(cifar10, "_PROBE_SECONDS", 0.3)
        check_refusal(tmp_path, host, 5)


def test_it_is_looked_for_where_tensorflow_datasets_would(monkeypatch):
    assert cifar10._root(None) == pathlib.Path(tfds.core.constants.DATA_DIR)
    monkeypatch.setenv("TFDS_DATA_DIR", "/elsewhere")
    default = tfds.core.constants.get_default_data_dir
    assert cifar10._root(None) == pathlib.Path(default())


def test_a_host_without_the_file(site, monkeypatch, tmp_path):
    monkeypatch.setattr(cifar10, "_URL", f"{site}/gone.tar.gz")
    check_refusal(tmp_path, site.split("/")[2], 5)


def test_a_host_that_has_the_file(site):
    assert cifar10._obstacle(f"{site}/cifar-10-binary.tar.gz", 5) is None


def test_a_download_that_breaks_off(site, monkeypatch, tmp_path):
    monkeypatch.setattr(cifar10, "_URL", f"{site}/cifar-10-binary.tar.gz")

    def fail(self, *arguments):
        raise ConnectionError("connection reset\nand a page of advice")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(FileNotFoundError, match="connection reset") as error:
        data.load("cifar10", data_dir=tmp_path)
    message = str(error.value)
    for words in (str(tmp_path), "`data_dir`", "'digits'"):
        assert words in message
    assert "page of advice" not in message and "\n" not in message


def test_the_real_one():
    directory = os.environ.get("KERAS_CONTRASTIVE_DATA_DIR")
    if not directory:
        pytest.skip(
            "KERAS_CONTRASTIVE_DATA_DIR, the directory in which "
            "tensorflow-datasets prepared cifar10, is not set"
        )
    dataset = data.load("cifar10", data_dir=directory)
    assert dataset.class_names == tuple(NAMES)
    assert np.bincount(dataset.train.labels).tolist() == [5000] * 10
    assert np.bincount(dataset.test.labels).tolist() == [1000] * 10
    pixels = dataset.train.images.reshape(-1, 3)
    np.testing.assert_allclose(
        pixels.mean(0) / 255, [0.4914, 0.4822, 0.4465], atol=1e-4
    )
