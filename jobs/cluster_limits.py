"""What the cluster's own configuration says, and which settings of the job contradict it."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """What the cluster's own configuration says of checkpoints and restarts, in milliseconds."""

    checkpoint_interval_ms: int  # 0: there are no checkpoints
    checkpoint_timeout_ms: int
    restart_max_backoff_ms: int

    def problems(self, delivery: str, transaction_timeout_s: int, waits_s: dict[str, int]) -> Iterator[str]:
        """Yield what could lose a status or let no checkpoint complete; `waits_s` are seconds by variable."""
        timeout_s = self.checkpoint_timeout_ms // 1000
        needed_s = (self.checkpoint_interval_ms + self.checkpoint_timeout_ms + self.restart_max_backoff_ms) // 1000
        if not self.checkpoint_interval_ms:
            yield (
                "execution.checkpointing.interval is not set: no status would ever be committed; run with the"
                " project's flink-conf/config.yaml"
            )
        if delivery == "exactly-once" and transaction_timeout_s <= needed_s:
            yield (
                f"DARKROOM_TRANSACTION_TIMEOUT_S is {transaction_timeout_s}: statuses are lost when a restart"
                f" takes longer; set it above {needed_s}, the sum of execution.checkpointing.interval,"
                " execution.checkpointing.timeout and restart-strategy.exponential-delay.max-backoff"
            )
        for variable, wait_s in waits_s.items():
            if wait_s >= timeout_s:
                yield (
                    f"{variable} is {wait_s}: checkpoints time out while develop waits that long;"
                    f" set it below execution.checkpointing.timeout ({timeout_s} s)"
                )
