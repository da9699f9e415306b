"""Run a sweep: all trials of a config file that has a `sweep()`.

nst sweep --config configs/ratio.py[:VARIANT] [--workdir DIR] [--workers N]
    --batch N               trials computed together in a batch (for GPUs and small images)
    --executor ray [--address HOST:PORT] [--cpus N] [--gpus N] [--noshared]     see docs/clusters.md
    --list      show the plan and the state of each trial
    --extend    add new trials to the plan        --drop     remove those that are gone from it
    --retry     run failed trials again
    --config.FIELD=VALUE      any field of docs/config.md, for all trials      --debug
The same command continues a stopped sweep. Given a second time, on this machine or another, it shares the trials.
"""

from nst import cli

__all__ = ["main"]

main = cli.sweep
