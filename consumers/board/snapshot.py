"""The picture as a file: written whole or not at all, and only in the place of another picture."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from utils.errors import PipelineError
from utils.text import shown

# In force while a picture is drawn. Hinting would take most of the time of drawing text. A window that came to the
# front at each frame would take the focus.
DRAWING: Final[Any] = {"text.hinting": "none", "figure.raise_window": False}

_PNG_BEGINS_WITH: Final = b"\x89PNG\r\n\x1a\n"
# A link that somebody planted is not followed, and a file that is there is not opened; Windows has no such links.
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
_TO_LOOK_INTO: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK
_OTHER_FILE: Final = "name another file with --snapshot or SNAPSHOT_FILE"


class DashboardError(PipelineError):
    """The dashboard cannot be shown or saved; the message says why and what to do."""


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; make its folder. Raise DashboardError if that fails.

    Only a PNG is replaced. The unfinished picture stands beside it, under a name that nobody can foresee.
    """
    unfinished = path.with_name(f".{path.name[:100]}.{os.urandom(8).hex()}.tmp")
    try:
        _check_that_it_may_be_replaced(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(unfinished, _NEW_FILE, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file, mpl.rc_context(DRAWING):
                figure.savefig(file, format="png", dpi="figure", pil_kwargs={"compress_level": 3})
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
    except OSError as error:
        raise DashboardError(
            f"cannot save the dashboard as {shown(path)}: {error.strerror or error}; "
            f"make its folder writable, or {_OTHER_FILE}"
        ) from error


def _check_that_it_may_be_replaced(path: Path) -> None:
    """Raise DashboardError if something else than a picture stands at the path: it would be lost."""
    if os.path.lexists(path) and not _is_picture(path):
        raise DashboardError(
            f"{shown(path)} is there and is no PNG picture, so the dashboard does not replace it; {_OTHER_FILE}"
        )


def _is_picture(path: Path) -> bool:
    """Return whether a plain file, no link and no device, begins as a PNG does."""
    if not stat.S_ISREG(path.lstat().st_mode):  # before it is opened: opening some devices does something
        return False
    descriptor = os.open(path, _TO_LOOK_INTO)
    with os.fdopen(descriptor, "rb") as file:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and file.read(len(_PNG_BEGINS_WITH)) == _PNG_BEGINS_WITH
