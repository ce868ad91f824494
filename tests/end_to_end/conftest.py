import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def through() -> list[str]:
    """What runs a command so that it may not read and write every file, as root may."""
    if sys.platform == "win32":
        pytest.skip("needs the permissions of POSIX")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("as root, needs setpriv, which is not installed here")
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("setpriv cannot drop what root may here")
    return command
