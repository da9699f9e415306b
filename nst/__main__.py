"""`python -m nst` is the command `nst`."""

from nst.command import main

main()
