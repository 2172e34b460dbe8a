"""What a training run leaves behind: running means, and a record for each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.train.callback import Record


class Mean:
    """The mean of numbers that come one by one, each with a weight."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.total, self.count = 0.0, 0.0

    def add(self, value: float, weight: float = 1.0) -> None:
        self.total += value * weight
        self.count += weight

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else float("nan")

    def state_dict(self) -> dict[str, float]:
        return {"total": self.total, "count": self.count}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.total, self.count = state["total"], state["count"]


class History:
    """The records of all epochs; a name gives the column of that name.

    Examples
    --------
    >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])
    >>> history["loss"]
    [2.0, 1.0]
    >>> len(history), history.best("loss")["epoch"]
    (2, 2)
    """

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records: list[Record] = list(records or [])

    def append(self, record: Record) -> None:
        self.records.append(record)

    def __getitem__(self, name: str) -> list[Any]:
        return [record.get(name) for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def best(self, name: str = "valid_loss", mode: str = "min") -> Record:
        """The record with the lowest (or highest) value of `name`."""
        known = [r for r in self.records if r.get(name) is not None]
        choose = min if mode == "min" else max
        return choose(known, key=lambda r: r[name])

    def to_dict(self) -> dict[str, list[Any]]:
        """Columns by name: what a data frame is made of."""
        names = list(dict.fromkeys(k for r in self.records for k in r))
        return {name: self[name] for name in names}

    def __repr__(self) -> str:
        if not self.records:
            return "History(no epoch yet)"
        last = ", ".join(
            f"{k}={v:.4g}" for k, v in self.records[-1].items() if v is not None
        )
        return f"History({len(self)} epochs; last: {last})"
