"""MNIST's and Fashion-MNIST's files: where they are found, what they give."""

import gzip
import hashlib
import struct
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

import dotori
from dotori.data import MNIST, DataLoader, FashionMNIST, download
from dotori.errors import ArgumentError, DataError, FormatError

PICTURES, CLASSES = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx_file(array):
    array = np.asarray(array, np.uint8)
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


@pytest.fixture
def pictures(rng):
    return rng.integers(0, 256, (20, 28, 28))


@pytest.fixture
def files(pictures):
    return {PICTURES: idx_file(pictures), CLASSES: idx_file(np.arange(20) % 10)}


@pytest.fixture
def folder(tmp_path, files):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_a_batch_is_pictures_between_0_and_1(folder, pictures):
    data = FashionMNIST(folder)
    x, y = next(iter(DataLoader(data, batch_size=8)))
    assert (x.dtype, y.dtype) == (dotori.float32, dotori.int64)
    np.testing.assert_allclose(x.numpy(), pictures[:8, None] / 255, rtol=1e-6)
    assert y.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert data.classes[y[7].item()] == "Sneaker"
    one, number = data[7]
    np.testing.assert_array_equal(one.numpy(), x[7].numpy())
    assert number == 7


def test_transforms_see_every_sample(folder):
    data = MNIST(folder, transform=lambda p: p * 2, target_transform=lambda t: t + 100)
    x, y = next(iter(DataLoader(data, batch_size=4)))
    plain, _ = MNIST(folder).__getitems__(range(4))
    np.testing.assert_array_equal(x.numpy(), 2 * plain.numpy())
    assert y.tolist() == [100, 101, 102, 103]


def test_attributes_are_torchvisions(folder, pictures):
    data = MNIST(folder)
    np.testing.assert_array_equal(data.data.numpy(), pictures)
    assert data.data.dtype == dotori.uint8
    assert data.targets.tolist() == list(range(10)) * 2
    assert len(data.classes) == 10


def test_compressed_files_and_torchvisions_folder(tmp_path, files):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, data in files.items():
        (raw / f"{name}.gz").write_bytes(gzip.compress(data))
    assert len(FashionMNIST(tmp_path)) == 20


def test_files_that_are_not_there(tmp_path, folder):
    with pytest.raises(
        DataError, match=r"no file 't10k-images-idx3-ubyte'.*download=True"
    ):
        MNIST(folder, train=False)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (PICTURES, np.zeros((20, 28)), "got uint8 of shape \\(20, 28\\)"),
        (PICTURES, np.zeros((19, 28, 28)), "19 classes of uint8 were wanted"),
        (CLASSES, np.zeros((20, 1)), "got uint8 of shape \\(20, 1\\)"),
        (CLASSES, np.full(20, 10), "classes below 10 were wanted, got 10"),
    ],
)
def test_files_of_another_shape_are_refused(folder, name, array, message):
    (folder / name).write_bytes(idx_file(array))
    with pytest.raises(FormatError, match=message):
        MNIST(folder)


@pytest.fixture
def server(files):
    """A server of this machine that holds the files; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.strip("/").removesuffix(".gz")
            cut = name.startswith("cut-")
            data = gzip.compress(files.get(name.removeprefix("cut-"), b""))
            self.send_response(200 if name.removeprefix("cut-") in files else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:50] if cut else data)

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_download_and_find_again(server, files, tmp_path, monkeypatch):
    monkeypatch.setattr(FashionMNIST, "_url", server)
    monkeypatch.setattr(
        FashionMNIST, "_sha256", {name: sha256(data) for name, data in files.items()}
    )
    target = tmp_path / "new" / "folder"
    assert len(FashionMNIST(target, download=True)) == 20
    monkeypatch.setattr(FashionMNIST, "_url", "http://127.0.0.1:9/")
    assert len(FashionMNIST(target, download=True)) == 20


def test_another_file_than_the_one_meant_is_not_kept(server, tmp_path):
    with pytest.raises(FormatError, match="is not the file that was wanted"):
        download(f"{server}{CLASSES}.gz", tmp_path / "file", sha256="0" * 64)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "limit", "message"),
    [
        ("none", 1000, "404"),
        (f"cut-{PICTURES}", 1 << 20, "broke off after 50"),
        (PICTURES, 1000, "more than the 1000 bytes allowed"),
        (CLASSES, 30, "more than the 30 bytes allowed"),
    ],
)
def test_what_cannot_be_had(server, tmp_path, name, limit, message):
    with pytest.raises(DataError, match=message):
        download(f"{server}{name}.gz", tmp_path / "f", sha256="0" * 64, limit=limit)
    assert not list(tmp_path.iterdir())


def test_a_file_that_unpacks_to_too_much(tmp_path):
    from dotori.data.transfer import _contents_digest

    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(DataError, match="unpacks to more than the 1000 bytes"):
        _contents_digest(str(file), 1000)


def test_only_the_web_is_asked(tmp_path):
    with pytest.raises(ArgumentError, match="https"):
        download("file:///etc/hostname", tmp_path / "f", sha256="0" * 64)
    with pytest.raises(DataError, match="cannot be downloaded"):
        download("http://127.0.0.1:9/f", tmp_path / "f", sha256="0" * 64)
