"""The command `nst run` as a script."""

from nst.command import main

if __name__ == "__main__":
    main("run")
