"""What a file that is no safetensors file looks like, and what to do with it.

Told by the first bytes alone. Nothing is unpacked, unpickled or run.
"""

from __future__ import annotations

import codecs
import re

# The first bytes, what writes such files, and what to do.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x93NUMPY", "a NumPy .npy array", "read it with numpy.load"),
    (b"\x89HDF\r\n", "an HDF5 file (Keras, h5py)", "read it with h5py"),
    (b"\x89PNG\r\n", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"RIFF", "a RIFF file (WebP, WAV)", ""),
    (b"%PDF", "a PDF document", ""),
    (b"PAR1", "a Parquet table", "give it as the data, not as the model"),
    (b"ARROW1", "an Arrow or Feather table", "give it as the data, not as the model"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it first"),
    (b"SQLite format 3", "an SQLite database", ""),
    (b"GGUF", "a GGUF model", "convert it to safetensors"),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a Windows program", ""),
)

# Protocols 0 and 1 have no signature. They begin with an import, c<module>\n<name>\n,
# or an empty dict or list, and number it in a memo: p0\n or q\0.
_OLD_PICKLE = re.compile(
    rb"(?:c[A-Za-z_][\w.]*\n\w+\n|\([dl]|[}\]])(?:p[0-9]+\n|q\0|\()"
)

_PICKLE_ADVICE = (
    "loading one can run any code that its author wished, so dotori never does: load "
    "it, if you trust it, with the program that wrote it, and save the arrays with "
    "safetensors"
)
_TORCH_ADVICE = (
    "load it with PyTorch, torch.load(path, weights_only=True), and save it with "
    "safetensors.torch.save_file"
)


def describe(head: bytes, size: int) -> str:
    """Say what the file is that begins with `head` and has `size` bytes.

    Examples
    --------
    >>> describe(b"", 0)
    'the file is empty; it was perhaps never written to its end'
    >>> describe(b"x,y\\n1,2\\n", 8)
    'this is not a safetensors file but looks like a text or CSV file'
    """
    if size == 0:
        return "the file is empty; it was perhaps never written to its end"
    if size <= 8 and not _is_text(head):
        return f"the file has {size} bytes only; it was perhaps cut off"
    kind, advice = _kind(head)
    if not kind:
        return (
            "this is not a safetensors file, or its beginning is damaged or cut off: "
            "it does not start with the length of a header and the header"
        )
    text = f"this is not a safetensors file but looks like {kind}"
    return f"{text}; {advice}" if advice else text


def _kind(head: bytes) -> tuple[str, str]:
    if head[:2] == b"PK":
        return _zip_kind(head)
    # Protocol 2 and later begin with PROTO and the version; joblib's files do too.
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        if b"joblib" in head or b"numpy_pickle" in head:
            return "a joblib file, which is a pickle", _PICKLE_ADVICE
        if b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19" in head:  # PyTorch's magic number
            return "a PyTorch file of before 1.6", _TORCH_ADVICE
        return "a pickle", _PICKLE_ADVICE
    if _OLD_PICKLE.match(head):
        return "a pickle", _PICKLE_ADVICE
    if head[:1] == b"\x78" and head[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        return "a zlib stream (joblib compresses its pickles so)", _PICKLE_ADVICE
    for signature, kind, advice in _SIGNATURES:
        if head.startswith(signature):
            return kind, advice
    return _text_kind(head)


def _zip_kind(head: bytes) -> tuple[str, str]:
    if b"data.pkl" in head:
        return "a PyTorch .pt file", _TORCH_ADVICE
    if b".npy" in head:
        return "a NumPy .npz archive", "read it with dotori.io.load_npz"
    if b"[Content_Types]" in head:
        return "an Office document", "export it as CSV, and give it as the data"
    return "a zip archive", "unpack it first"


def _text_kind(head: bytes) -> tuple[str, str]:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a text in UTF-16", ""
    if not _is_text(head):
        return "", ""
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page", "the download was perhaps refused; look at it in a browser"
    if text.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer", "fetch the file itself with: git lfs pull"
    if text.startswith((b"{", b"[")):
        return "a JSON text", ""
    if text.startswith(b"<"):
        return "an XML text", ""
    return "a text or CSV file", ""


def _is_text(head: bytes) -> bool:
    if any(octet < 32 and octet not in b"\t\n\r\f\x1b" for octet in head):
        return False
    for encoding in ("utf-8", "cp949"):  # the latter is what Korean programs export
        try:
            codecs.getincrementaldecoder(encoding)().decode(head)  # may end half-way
        except UnicodeDecodeError:
            continue
        return True
    return False
