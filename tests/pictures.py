"""`python -m tests.pictures FOLDER [NAME …]` draws the dashboard in many situations, to be looked at."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from consumers.board.board import Dashboard
from consumers.board.layout import fitted
from consumers.board.status import FeedStatus
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from producers.simulator import Plant
from tests.consumers.machines.support import LIMITS, T0_S, row
from tests.consumers.support import take
from utils.message import timestamp_at

RECENT = 20_000
