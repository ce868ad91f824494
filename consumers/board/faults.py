"""Exceptions of the picture. Readings are saved even if no picture of them can be drawn, so none of these ends it."""

from collections.abc import Callable
from textwrap import fill
from typing import Final, ParamSpec

from loguru import logger

from utils.errors import PipelineError
from utils.text import printable

_MOST_MESSAGES_KEPT: Final = 100
_LONGEST_SHOWN: Final = 200
_LINE: Final = 60
_PASSING: Final = "an event"

_P = ParamSpec("_P")


class Faults:
    """What could not be done to the picture: each message is logged once, and shown until it could be done again."""

    def __init__(self) -> None:
        self._logged: set[str] = set()
        self._current: dict[str, str] = {}

    @property
    def words(self) -> str:
        """What is to be seen on the picture, in lines; empty if all is well."""
        if not self._current:
            return ""
        causes = "; ".join(dict.fromkeys(self._current.values()))
        if len(causes) > _LONGEST_SHOWN:
            causes = causes[:_LONGEST_SHOWN] + " …"
        return fill(f"What is shown may be old or not complete: the dashboard could not be drawn: {causes}", _LINE)

    def guarded(self, what: str, work: Callable[_P, object]) -> Callable[_P, None]:
        """Return `work` with its exceptions kept as the fault of `what`, until it succeeds again."""

        def work_if_possible(*args: _P.args, **kwargs: _P.kwargs) -> None:
            error = self.attempt(work, *args, **kwargs)
            if error is None:
                self._current.pop(what, None)
            else:
                self._add(what, error)

        return work_if_possible

    def has(self, what: str) -> bool:
        """Return whether `what` could not be done when it was tried last."""
        return what in self._current

    @staticmethod
    def attempt(work: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> Exception | None:
        """Do what can be done; return its exception, if it has raised one."""
        try:
            work(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - see above
            return error
        return None

    def add(self, error: Exception) -> None:
        """Log what is not tried again, such as the answer to a key; it is shown once."""
        self._add(_PASSING, error)

    def are_shown(self) -> None:
        """Forget what is shown only once."""
        self._current.pop(_PASSING, None)

    def _add(self, what: str, error: Exception) -> None:
        kind, words = type(error).__name__, printable(str(error))
        self._current[what] = words or kind
        cause = words if isinstance(error, PipelineError) else f"{kind}: {words}"
        if cause in self._logged:
            return
        if len(self._logged) >= _MOST_MESSAGES_KEPT:
            self._logged.clear()
        self._logged.add(cause)
        logger.error("{}", f"the dashboard could not be drawn: {cause}")
