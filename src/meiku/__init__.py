"""meiku 媒库: self-hosted, S3-compatible media storage. The root holds its version and nothing else."""

__version__ = "0.1.0"
