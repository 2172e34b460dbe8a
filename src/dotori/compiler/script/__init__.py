"""Stand-alone scripts: a model or a training step in plain NumPy, to be read and run.

`export_script` is for models and steps, `export_table_script` for a table's model with
its preprocessing.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.script.export import export_script

__all__ = ["export_script", "export_table_script"]


def __getattr__(name: str) -> Any:
    """What needs `dotori.tabular` loads when it is asked for."""
    if name == "export_table_script":
        from dotori.compiler.script.table import export_table_script

        return export_table_script
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
