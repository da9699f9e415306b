"""A page on localhost that shows runs and sweeps while they go, from their directories only."""

from pathlib import Path

from nst.errors import InputError

__all__ = ["serve"]


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 8600) -> None:
    """Serve the page until the process is interrupted.

    Args:
      folder: The directory of a sweep, a run or several runs, which may be empty yet.
      host: The address to listen on; the default is reached from this machine only.
      port: The port to listen on.

    Raises:
      InputError: The directory is absent, or a package or the port is not available.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no directory: give one of nst run or nst sweep")
    try:
        from nst.live import server
    except ImportError as error:
        raise InputError(
            f"a live page needs {error.name}, which is not installed: pip install 'nst[live]'"
        ) from error
    server.serve(folder, host, port)
