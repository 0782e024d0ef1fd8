"""Darkroom: exactly-once image derivatives on Apache Flink."""

import re
from pathlib import Path

from setuptools import find_packages, setup

VERSION = re.search(r'__version__ = "(.+)"', Path(__file__).with_name("jobs").joinpath("__init__.py").read_text())[1]

setup(
    name="darkroom",
    version=VERSION,
    description="Exactly-once image derivatives on Apache Flink",
    license="Apache-2.0",
    python_requires=">=3.11,<3.12",  # the one minor version shared by client, JobManager and TaskManager
    packages=find_packages(include=["jobs*", "udfs*", "schemas*", "darkroom*"]),
    package_data={
        "jobs": ["presets.yaml", "presets.schema.json"],
        "schemas": ["*.avsc", "writers/*"],
        "darkroom": ["stack/*.xml", "stack/flink-conf/*"],
    },
    install_requires=[
        # the job
        "apache-flink==2.3.0",  # the runtime and its Python API
        "cykooz-resizer==4.0.1",  # Lanczos on Pillow's own images, six times as fast, the same bytes everywhere
        "fastavro==1.13.1",  # Avro in C: about ten times the speed of the reference package
        "minio==7.2.20",  # S3 client with connection pooling and no service-specific magic
        "numpy==2.1.3",  # the arithmetic of signals, colours and likeness; PyFlink brings it along anyway
        "pi-heif==1.4.0",  # HEIC: the pillow-heif project's package that only decodes, without its GPL encoder
        "pillow==13.0.0",  # decoding and encoding
        "pydantic==2.14.3",  # validates every boundary and reports all problems at once
        "pylibjxl==0.5.0",  # JPEG XL: libjxl with a header probe that decodes nothing
        "pydantic-settings==2.16.3",  # reads the settings from the environment into the same models
        "pyseccomp==0.1.2",  # the system's libseccomp: what a rendering process may ask of the kernel
        "ruamel.yaml==0.19.1",  # YAML 1.2 that refuses duplicate keys, for the presets file
        "tenacity==9.2.1",  # retry with exponential back-off and jitter
        # the operator's tool
        "kafka-python==3.0.12",  # producer, consumer and topic administration without a JVM
        "platformdirs==4.14.5",  # where a cache and state belong on each system
        "psutil==7.2.2",  # finds every process of the local stack, orphans included
        "rich==15.0.0",  # tables and progress on a terminal, plain text in a pipe
        "supervisor==4.3.0",  # starts, restarts and stops the parts of the local stack
        "typer==0.29.2",  # the command line, from type hints
    ],
    extras_require={
        "faces": ["opencv-python-headless==4.14.0.94"],  # for `gravity: face`; 162 MB, so not for everyone
        "dev": [
            "aiohttp==3.14.5",  # the proxy that answers in the store's place with its faults
            "atheris==3.0.0",  # the coverage-guided fuzzer
            "blurhash==1.1.5",  # these three are referees of the signals
            "fast-thumbhash==1.0.0",
            "imagehash==4.3.2",
            "check-jsonschema==0.39.0",  # validates docker-compose.yml against the Compose specification
            "hypothesis==6.170.15",  # property-based tests
            "import-linter==2.16",  # the layers, as contracts
            "libfaketime==3.0.1",  # steps of the clock for one process; it brings its library compiled
            "matplotlib==3.11.2",  # the plots of measurements
            "simpy==4.1.2",  # discrete-event simulation, to hold the capacity model against a live spike
            "mypy==2.4.1",
            "opencv-python-headless==4.14.0.94",  # the extra `faces`, for its tests
            "piexif==1.1.3",  # an independent reader of EXIF
            "pillow-heif==1.8.1",  # writes the HEIC files of the tests
            "py-spy==0.4.3",  # samples a running worker from outside, for flame graphs
            "pyvips==3.2.0",  # libvips: an independent reader of images, and a second opinion on colours
            "pyvips-binary==8.18.7",
            "scikit-image==0.26.0",  # reference metrics (SSIM, CIEDE2000) and photographs
            "types-psutil==7.2.2.20261111",  # mypy knows psutil by it
            "pytest==9.2.0",
            "pytest-timeout==2.4.0",  # no test may hang
            "ruff==0.17.5",
            "trustme==1.2.1",  # certificates for the tests of TLS
            "uv==0.13.8",  # writes requirements.lock
        ],
    },
    entry_points={"console_scripts": ["darkroom = darkroom.cli:main"]},
)
