"""How the dashboard is shown: in a window, in a file or not at all. matplotlib is imported only if it is wanted."""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from consumers.loop import POLL_S, REFRESH_S, Loop
from consumers.machines.fleet import Fleet
from utils.errors import PipelineError
from utils.message import timestamp_at
from utils.settings import Config
from utils.text import printable, shown


def import_matplotlib() -> None:
    """Import what draws, before anything is begun: matplotlib refuses an unknown MPLBACKEND as it is imported."""
    try:
        import_module("consumers.board.window")
    except ValueError as error:
        raise PipelineError(
            f"matplotlib, which draws the dashboard, does not start: {printable(str(error))}. If MPLBACKEND is set, "
            "unset it or name one of these; or run with --headless"
        ) from error
    except ImportError as error:
        raise PipelineError(
            f"matplotlib, which draws the dashboard, cannot be imported: {printable(str(error))}; "
            "install requirements.txt, or run with --headless"
        ) from error


def follow(
    config: Config, options: argparse.Namespace, loop: Loop, fleet: Fleet, warn: Callable[[str], None]
) -> None:
    """Read on as lines come; with a window if one is wanted and can be had."""
    if options.headless and options.snapshot is None:
        loop.follow(None)
        return
    from consumers.board import window  # noqa: PLC0415 - matplotlib only where a dashboard is wanted
    from consumers.board.faults import Faults  # noqa: PLC0415 - as above
    from consumers.board.figure import snapshot_figure  # noqa: PLC0415 - as above

    picture = options.snapshot
    if not options.headless:
        try:
            figure = window.open_window_figure(has_toolbar=options.toolbar)
        except window.NoWindowError as error:
            picture = picture or config.snapshot_file
            warn(f"{error}; the dashboard is drawn to {shown(picture)} instead")
        else:
            paint = _painter(config, fleet, loop, figure, picture)
            loop.tick()  # so that the first picture shows what is there
            window.show_window(figure, loop.tick, paint, POLL_S, REFRESH_S)
            return
    figure = snapshot_figure()
    figure.faults = Faults()
    loop.follow(figure.faults.guarded("the update", _painter(config, fleet, loop, figure, picture)))


def draw_once(config: Config, fleet: Fleet, loop: Loop, picture: Path) -> None:
    """Draw the dashboard to a file as it is now. Raises PipelineError."""
    from consumers.board.figure import snapshot_figure  # noqa: PLC0415 - matplotlib only where a dashboard is wanted

    _painter(config, fleet, loop, snapshot_figure(), picture, refresh_s=None)()


def _painter(
    config: Config, fleet: Fleet, loop: Loop, figure: Any, picture: Path | None, refresh_s: float | None = REFRESH_S
) -> Callable[[], None]:
    """Make the function that brings the dashboard in `figure` up to date, and the picture of it, if one is wanted."""
    from consumers.board.board import Dashboard  # noqa: PLC0415 - as above
    from consumers.board.faults import Faults  # noqa: PLC0415 - as above

    board = Dashboard(
        figure,
        config.limits,
        config.dashboard_window_min,
        config.stale_after_s,
        f"readings in {config.live_file}",
        theme=config.theme,
        timezone=config.timezone,
        refresh_s=refresh_s,
    )
    # The picture in the window is not old because its copy cannot be saved: that has faults of its own.
    save = board.save if figure.faults is None else Faults().guarded("saving", board.save)

    def paint() -> None:
        try:
            board.update(fleet, timestamp_at(time.time()), loop.feed_status())
        finally:  # what cannot be brought up to date says so in the picture
            if picture is not None:
                save(picture)

    return paint
