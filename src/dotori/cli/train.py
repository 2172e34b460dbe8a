"""``dotori train``: from what was typed to a model file and its figures."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotori.cli import show
from dotori.errors import ArgumentError, DataError
from dotori.tabular.job import Job
from dotori.tabular.options import Options
from dotori.tabular.progress import FitProgress
from dotori.train import Progress, checkpoint

_PLACES = ("data", "target", "output", "valid_file")
INTERRUPTED = 130


@dataclass
class Request:
    """What to train on, how, and where to: typed, from TOML, or from a checkpoint."""

    data: str
    target: str | None
    output: Path
    valid_file: str | None
    options: Options
    resume: Path | None = None

    @classmethod
    def build(
        cls,
        place: dict[str, Any],
        options: dict[str, Any],
        config: Path | None,
        resume: Path | None,
    ) -> Request:
        """What was typed counts before the TOML file, and that before the defaults."""
        if resume is not None:
            return cls._from_checkpoint(resume, place, options)
        values = {} if config is None else read_toml(config)
        values |= {k: v for k, v in {**place, **options}.items() if v is not None}
        if "hidden" in values:
            values["hidden"] = parse_hidden(values["hidden"])
        data = str(values.pop("data", "diabetes"))
        target = values.pop("target", None)
        valid = values.pop("valid_file", None)
        output = Path(values.pop("output", None) or f"{_stem(data)}.dotori")
        chosen = Options.from_mapping(values)
        return cls(data, target, output, None if valid is None else str(valid), chosen)

    @classmethod
    def _from_checkpoint(
        cls, path: Path, place: dict[str, Any], options: dict[str, Any]
    ) -> Request:
        """The request that a checkpoint was made by; only epochs may be changed."""
        changed = set(options) | {k for k, v in place.items() if v is not None}
        if changed - {"epochs"}:
            raise ArgumentError(
                "--resume goes on with the data and options that the training began "
                "with; only --epochs can be given beside it"
            )
        if not path.exists():
            raise DataError(f"there is no checkpoint {str(path)!r} to resume from")
        about = checkpoint.load(path)[1]
        try:
            kept = Options.from_mapping({**about["options"], **options})
            request = cls(
                str(about["data"]),
                about["target"],
                Path(about["output"]),
                about["valid_file"],
                kept,
                path,
            )
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{str(path)!r} is a checkpoint, but not one of `dotori train`"
            ) from error
        return request

    @property
    def checkpoint(self) -> Path:
        return self.resume or self.output.with_name(self.output.name + ".checkpoint")

    def about(self) -> dict[str, Any]:
        """What a checkpoint keeps so that the request can be made again."""
        return {
            "data": self.data,
            "target": self.target,
            "output": str(self.output),
            "valid_file": self.valid_file,
            "options": self.options.to_mapping(),
        }


def run(request: Request, *, as_json: bool, quiet: bool) -> int:
    """Train, save and show; returns the exit code."""
    check_output(request.output)
    job = Job.prepare(request.data, request.target, request.options, request.valid_file)
    silent = quiet or as_json
    if not silent:
        show.plan(job)
    n_notes = len(job.notes)
    shown = [] if silent else [Progress(names=job.shown_names)]
    if request.options.model == "mlp":
        model = job.run(
            shown,
            checkpoint=request.checkpoint,
            resume=request.resume is not None,
            about=request.about(),
        )
    else:
        try:
            model = job.run(shown, watcher=None if silent else FitProgress())
        except KeyboardInterrupt:
            sys.stderr.write("interrupted; nothing is saved\n")
            return INTERRUPTED
    if job.interrupted:
        command = shlex.join(["dotori", "train", "--resume", str(request.checkpoint)])
        sys.stderr.write(
            f"stopped after {job.trainer.epoch if job.trainer else 0} epochs; nothing "
            f"is lost. To go on:\n  {command}\n"
        )
        return INTERRUPTED
    if not silent:
        show.notes(job.notes[n_notes:])
    model.save(request.output)
    if request.options.model == "mlp":
        request.checkpoint.unlink(missing_ok=True)
    if as_json:
        sys.stdout.write(json.dumps(report(job, model, request.output)) + "\n")
    elif not quiet:
        show.results(model)
        show.saved(request.output)
    return 0


def report(job: Job, model: Any, output: Path) -> dict[str, Any]:
    """The results as one JSON object."""
    return {
        "model": str(output),
        "task": model.target.task,
        "target": model.target.name,
        "classes": list(model.target.classes),
        "notes": job.notes,
        "options": model.options.to_mapping(),
        **model.results,
    }


def read_toml(path: Path) -> dict[str, Any]:
    """The options in a TOML file; its tables only group them."""
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no file {str(path)!r}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{str(path)!r} is not valid TOML: {error}") from error
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    return {name.replace("-", "_"): value for name, value in flat.items()}


def parse_hidden(value: Any) -> tuple[int, ...]:
    """``"64,32"`` to (64, 32); ``"0"`` and the empty text to no hidden layer.

    Examples
    --------
    >>> parse_hidden("64, 32"), parse_hidden("0"), parse_hidden([8])
    ((64, 32), (), (8,))
    """
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, (list, tuple)) else (value,)
    try:
        sizes = tuple(int(part) for part in value.replace("x", ",").split(",") if part)
    except ValueError:
        raise ArgumentError(
            f"--hidden takes whole numbers with commas, such as 64,32; got {value!r}"
        ) from None
    return () if sizes == (0,) else sizes


def check_output(path: Path) -> None:
    """Find out before the training, not after it, that the model cannot be saved."""
    if path.is_dir():
        raise DataError(f"the output {str(path)!r} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise DataError(
            f"the folder {str(path.parent)!r} of the output does not exist; make it "
            "first, or name another with -o"
        )


def _stem(data: str) -> str:
    return Path(data).name.partition(".")[0] or "model"
