"""Let the tests of this folder, and tools/, share the builders of hostile files.

`tests/io` cannot be imported as a package: `io` is the standard library's.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
