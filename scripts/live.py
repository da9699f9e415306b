"""The command `nst live` as a script."""

from nst.command import main

if __name__ == "__main__":
    main("live")
