"""One Spark for all tests that need no process of their own: its start takes seconds."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.consumer_spark import SPARK_SETTINGS
from tests.consumers.spark.support import HAS_SPARK, QUICK_START
from tests.support import PROJECT


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of Spark on two cores."""
    if not HAS_SPARK:
        pytest.skip("needs Java and requirements-spark.txt")
    builder = pytest.importorskip("pyspark.sql").SparkSession.builder.master("local[2]").appName("tests")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(PROJECT))  # its workers find the rules there
        patched.setenv("JAVA_TOOL_OPTIONS", QUICK_START)
        for name, value in SPARK_SETTINGS.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.pythonExec = sys.executable
    yield session
    session.stop()
