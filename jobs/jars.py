"""The Java side of Spark: which Java runs it, and Delta's jars, resolved once for each user.

Resolving costs about 16 s at every start even when everything is cached, so it is done once, in a
process of its own, and the jars are kept in the user's cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import pyspark

from transforms.errors import MissingRuntimeError

MINIMUM_JAVA = 17
_RESOLVE_TIMEOUT_S = 900

# Runs in the child: Spark's own resolver finds the jars, the last line says where they are.
_RESOLVE = """
import sys
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars.packages", sys.argv[1])
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
print("\\n" + spark.conf.get("spark.jars"))
spark.stop()
"""


def find_java(environ: Mapping[str, str]) -> Path:
    """The Java that Spark will start. Raises MissingRuntimeError without Java 17 or newer."""
    remedy = f"install Java {MINIMUM_JAVA} or newer (a JRE is enough) or point JAVA_HOME at one"
    java_home = environ.get("JAVA_HOME")
    found = shutil.which("java", path=os.path.join(java_home, "bin") if java_home else None)
    if found is None:
        where = f"JAVA_HOME={java_home}" if java_home else "PATH"
        raise MissingRuntimeError("no Java found", where=where, remedy=remedy)
    try:
        answer = subprocess.run(  # -version writes to stderr
            [found, "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingRuntimeError(
            f"Java does not start: {error}", where=found, remedy=remedy
        ) from error
    if answer.returncode:
        lines = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
        raise MissingRuntimeError(f"Java does not start: {lines[-1]}", where=found, remedy=remedy)
    said = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    major = int(said[2] if said[1] == "1" and said[2] else said[1]) if said else 0
    if major < MINIMUM_JAVA:
        first_line = (answer.stderr.strip().splitlines() or ["no version"])[0]
        raise MissingRuntimeError(
            f"Spark needs Java {MINIMUM_JAVA} or newer, this one says: {first_line}",
            where=found,
            remedy=remedy,
        )
    return Path(found)


def delta_package() -> str:
    """Maven coordinate of Delta for the installed Spark."""
    spark_minor = ".".join(pyspark.__version__.split(".")[:2])
    return f"io.delta:delta-spark_{spark_minor}_2.13:{version('delta-spark')}"


def cached_jars(cache: Path, say: Callable[[str], None]) -> tuple[Path, ...]:
    """Delta's jars that Spark does not bring along, from ``cache`` or resolved into it.

    ``say`` hears about the one long step. The folder appears whole or not at all, so a second
    process or a kill in the middle does no harm. Raises MissingRuntimeError when the jars are not
    there and cannot be had.
    """
    folder = cache / "jars" / f"spark-{pyspark.__version__}-delta-{version('delta-spark')}"
    if not folder.is_dir():
        say("Fetching Delta Lake's jars, once for this user (half a minute) ...")
        _fill(folder, _resolve(delta_package()))
    return tuple(sorted(folder.glob("*.jar")))


def _fill(folder: Path, jars: tuple[Path, ...]) -> None:
    brought_along = {_artifact(jar) for jar in (Path(pyspark.__file__).parent / "jars").iterdir()}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise MissingRuntimeError(
            f"the cache for jars cannot be written: {error.strerror}",
            where=str(folder.parent),
            remedy="set XDG_CACHE_HOME to a folder of yours",
        ) from error
    try:
        for jar in jars:
            if _artifact(jar) not in brought_along:
                shutil.copyfile(jar, partial / jar.name)
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:  # another process was faster: its jars are the same
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _artifact(jar: Path) -> str:
    """Name of a jar without organisation and version."""
    name = re.sub(r"-\d[\w.+-]*$", "", jar.stem)
    return name.rsplit("_", 1)[-1] if "_" in name and "." in name.split("_", 1)[0] else name


def _resolve(package: str) -> tuple[Path, ...]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            answer = subprocess.run(
                [sys.executable, "-c", _RESOLVE, package],
                capture_output=True,
                text=True,
                timeout=_RESOLVE_TIMEOUT_S,
                cwd=folder,
                env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _unresolved(package, f"no answer in {_RESOLVE_TIMEOUT_S} s") from error
    lines = answer.stdout.strip().splitlines()
    if answer.returncode != 0 or not lines:
        raise _unresolved(package, _reason(answer.stderr))
    jars = tuple(Path(name.removeprefix("file://")) for name in lines[-1].split(","))
    missing = [str(jar) for jar in jars if not jar.is_file()]
    if missing:
        raise _unresolved(package, f"these were named but are not there: {', '.join(missing)}")
    return jars


def _reason(stderr: str) -> str:
    """The line of the resolver's talk that says most."""
    for sign in ("UnknownHostException", "Connection", "unresolved dependency", "not found"):
        for line in stderr.splitlines():
            if sign in line:
                return line.strip()
    return (stderr.strip().splitlines() or ["the resolver said nothing"])[-1].strip()


def _unresolved(package: str, reason: str) -> MissingRuntimeError:
    return MissingRuntimeError(
        f"Delta Lake's jars could not be fetched: {reason}",
        where=package,
        remedy="connect to the network once (Maven Central, or the mirror that "
        "DEFAULT_ARTIFACT_REPOSITORY names); later starts need none",
    )
