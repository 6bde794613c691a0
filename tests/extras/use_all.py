"""`all`: the programs of the other extras, all in one environment."""

import subprocess
import sys
from pathlib import Path

for extra in ("speed", "cli", "emulator", "batch", "parquet", "excel", "zstd", "dask", "heic", "otel"):
    folder = Path(f"of-{extra}")
    folder.mkdir()
    program = Path(f"use_{extra}.py").resolve()
    subprocess.run([sys.executable, "-W", "error", program], check=True, cwd=folder)
