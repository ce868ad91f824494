"""Errors that the person at the terminal reads."""


class PipelineError(Exception):
    """The program cannot go on; the message says what is wrong and what to do about it."""
