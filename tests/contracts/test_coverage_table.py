"""The table of what of PyTorch's public lists is there: written and held by this test."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch brings the lists")
pytest.importorskip("expecttest", reason="PyTorch's list of operators imports it")

from pytorch_lists import LISTS, reason

PAGE = Path(__file__).parents[2] / "docs" / "pytorch.md"

HEAD = """# What of PyTorch is there

This page is written by `tests/contracts/test_coverage_table.py`, which compares PyTorch 2.13's public lists with
dotori's names. Every operator that is listed as there is tried on the samples of PyTorch's own operator list: values,
types, gradients and second gradients, methods, forms in place, float32, and the inputs that PyTorch refuses
(`tests/contracts/test_op_db.py` and `test_op_db_forms.py`). Modules are built in both libraries with the same arguments
and weights, and compared in the same way, on PyTorch's own samples (`test_module_db.py`) and on dotori's
(`test_every_layer_matches_torch.py`).

"Operators" is PyTorch's internal list for its own tests, those of them that take real numbers.

| list | there | of |
|---|---|---|
"""


def page():
    """The text of the page, and the names that are missing without a reason."""
    rows, sections, unexplained = [], [], []
    for title, names, has in LISTS:
        listed = names()
        there = [n for n in listed if has(n)]
        missing = [n for n in listed if n not in set(there)]
        rows.append(f"| {title} | {len(there)} | {len(listed)} |\n")
        why = {}
        for name in missing:
            found = reason(name)
            if found is None:
                unexplained.append(f"{title}: {name}")
            why.setdefault(found or "?", []).append(name)
        sections.append(section(title, there, why))
    return HEAD + "".join(rows) + "".join(sections), unexplained


def section(title, there, why):
    text = f"\n## {title}\n\nThere: {', '.join(f'`{n}`' for n in there)}.\n"
    if why:
        text += "\n| not there | why |\n|---|---|\n"
        for found, names in sorted(why.items(), key=lambda item: -len(item[1])):
            text += f"| {', '.join(f'`{n}`' for n in names)} | {found} |\n"
    return text


def test_the_page_says_what_is_there():
    text, unexplained = page()
    assert not unexplained, (
        "names that are missing without a reason in pytorch_lists.py"
    )
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")
        pytest.fail("docs/pytorch.md was out of date; it has been written anew")
