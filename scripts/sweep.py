"""Many runs from one config file that has a `sweep()`.

python scripts/sweep.py --config configs/ratio.py[:VARIANT] [--workdir DIR] [--workers N]
    --batch N               trials in lock-step (for GPUs and small pictures)
    --executor ray [--address HOST:PORT] [--cpus N] [--gpus N] [--noshared]     see docs/clusters.md
    --list      show the plan and where each trial stands
    --extend    let the plan have new trials      --retry    run trials once more that failed
    --config.FIELD=VALUE      any field of nst/config.py, for all trials      --debug
The same command goes on with what is left; given a second time, on this machine or another, it helps.
"""

from nst import cli

if __name__ == "__main__":
    cli.main(cli.sweep, usage=__doc__ or "")
