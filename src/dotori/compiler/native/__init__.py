"""Programs as machine code: what the generated loops may use, and how they are run.

Nothing of this folder is loaded by `import dotori`. Numba compiles; what it made lies
on disk, and a later process runs that without it (`dotori.compiler.native.runtime`).
"""
