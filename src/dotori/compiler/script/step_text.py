"""What surrounds ``train_step`` in a script: memory, random numbers, a first run."""

from __future__ import annotations

from typing import Any

import numpy as np

from dotori.compiler.script.step import Step
from dotori.compiler.script.text import (
    broken,
    demo_text,
    literal,
    load_text,
    script_text,
)

Array = np.ndarray[Any, Any]


def stored_arrays(step: Step) -> dict[str, Array]:
    """The weights, and what the optimisers keep of each under ``name:what``."""
    found = dict(step.weights)
    for update in step.updates:
        for kind, arrays in update.memory.items():
            pairs = zip(update.names, arrays, strict=True)
            found |= {f"{name}:{kind}": array for name, array in pairs}
    return found


def step_text(step: Step, name: str, weights: str) -> str:
    """The whole script of a training step."""
    globals_ = [load_text(weights, step.source), *_memory(step)]
    if step.random:
        globals_.append("rng = np.random.default_rng(0)  # for dropout")
    parts = ["\n\n".join(globals_), step.source, _main(step)]
    return script_text(_docstring(step, name, weights), parts)


def _memory(step: Step) -> list[str]:
    """What the optimisers remember, by weight."""
    kept: dict[tuple[str, ...], list[str]] = {}
    for update in step.updates:
        if update.memory:
            kept.setdefault(tuple(update.memory), []).extend(update.names)
    lines = []
    for kinds, names in kept.items():
        listed = ", ".join(map(literal, names))
        parts = (
            f"({', '.join(map(literal, kinds))},)"
            if len(kinds) == 1
            else (f"({', '.join(map(literal, kinds))})")
        )
        lines += [
            broken(f"    for name in [{listed}]"),
            f'    name: [W.pop(f"{{name}}:{{kind}}") for kind in {parts}]',
        ]
        lines = lines[:-2] + lines[-1:] + lines[-2:-1]
        sign = "|=" if len(lines) > 3 else "="
        lines = [*lines[:-2], f"MEMORY {sign} {{", *lines[-2:], "}"]
    comment = "# What the optimiser remembers of each weight."
    return ["\n".join([comment, *lines])] if lines else []


def _main(step: Step) -> str:
    count = len(step.arguments)
    names = ", ".join(step.arguments)
    counts = any(update.counts for update in step.updates)
    first = 1 + max((update.step for update in step.updates), default=0)
    demo = ",\n            ".join(demo_text(x) for x in step.inputs)
    call = f"train_step({names}{', t' if counts else ''})"
    return f"""def main():
    if len(sys.argv) > {count}:
        {names} = [np.load(name) for name in sys.argv[1:{count + 1}]]
    else:
        rng = np.random.default_rng(0)
        {names} = [
            {demo},
        ]
    for t in range({first}, {first} + 10):
        print(t, {call})
    if len(sys.argv) > {count + 1}:
        np.savez(sys.argv[{count + 1}], **W)


if __name__ == "__main__":
    main()"""


def _docstring(step: Step, name: str, weights: str) -> str:
    count = sum(w.size for w in step.weights.values())
    files = " ".join(f"{argument}.npy" for argument in step.arguments)
    return "\n".join(
        [
            f"The training step {name!r} in plain NumPy.",
            "",
            f"Its {count:,} weights lie in {name}.{weights}, with what the optimiser",
            "remembers. Ten steps on a batch, shown, and the new weights saved:",
            "",
            f"    python {name}.py {files} [weights.npz]",
            "",
            "Without files, the batch is made of random numbers. The gradient of a",
            "value is called d_ and its name; grad has those of the weights.",
        ]
    )
