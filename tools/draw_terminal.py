"""Draw what `dotori train` shows on a terminal as docs/images/train.svg.

    python tools/draw_terminal.py

The command runs for real, on a terminal of its own, so the picture cannot be out of
step with the program.
"""

import os
import pty
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).parent.parent / "docs" / "images" / "train.svg"
WIDTH = 92


def run_on_a_terminal(command: list[str]) -> str:
    """What the command has left on the screen."""
    chunks: list[bytes] = []

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65_536)
        chunks.append(data)
        return data

    pty.spawn(command, read)
    return b"".join(chunks).decode()


def last_frames(text: str) -> str:
    """The text with each redrawn line as it was in the end."""
    text = re.sub(r"\x1b\[\?25[lh]|\x1b\[1A|\x1b\[2K", "", text.replace("\r\n", "\n"))
    lines = [line.split("\r")[-1] for line in text.split("\n")]
    shown = [line for line in lines if line.strip() or "\x1b" not in line]
    bars = [i for i, line in enumerate(shown) if "epoch" in line and "left" in line]
    return "\n".join(line for i, line in enumerate(shown) if i not in bars[:-1])


def main() -> None:
    os.environ |= {"COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        seen = run_on_a_terminal([sys.executable, "-m", "dotori", "train"])
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))
    console.print(Text.from_ansi(last_frames(seen).strip("\n")))
    TARGET.parent.mkdir(exist_ok=True)
    drawing = console.export_svg(title="dotori train")
    # The reader's own fonts will do: a picture should not fetch anything.
    drawing = re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r"<!--.*?-->", "", drawing, flags=re.DOTALL)
    drawing = drawing.replace("Fira Code", "monospace")
    TARGET.write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main()
