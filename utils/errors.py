"""The errors that a person at the terminal is told about."""


class PipelineError(Exception):
    """The program cannot go on; the message names what is wrong and what to do about it."""
