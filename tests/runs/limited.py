"""Run a script under a limit of the operating system: limited.py RLIMIT_… BYTES SCRIPT ARGUMENTS."""

import resource
import runpy
import sys

if __name__ == "__main__":
    limit, number = getattr(resource, sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(limit, (number, number))
    sys.argv = sys.argv[3:]
    runpy.run_path(sys.argv[0], run_name="__main__")
