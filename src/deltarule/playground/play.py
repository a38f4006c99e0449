"""``deltarule.play``: the playground in the browser, or inside a notebook, from Python."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from deltarule.errors import InputError
from deltarule.nn.network import Network
from deltarule.playground.opening import problem_from, write_arrays
from deltarule.playground.server import PlaygroundServer
from deltarule.registry import import_extra


class PlayingPage:
    """A playground that runs beside this process; a notebook shows it in a frame.

    ``address`` is where it is; only this machine reaches it.
    """

    def __init__(self, process: subprocess.Popen[str], address: str, folder: Any) -> None:
        self.address, self._process, self._folder = address, process, folder

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def __repr__(self) -> str:
        return f"the playground at {self.address}"

    def _repr_html_(self) -> str:
        return f'<iframe src="{self.address}" width="100%" height="760" style="border:0"></iframe>'


def play(net: Network | str | None = None, X: Any = None, Y: Any = None) -> PlayingPage:
    """Open the playground on a network and its data.

    Parameters
    ----------
    net : Network or str, optional
        A network, or anything that ``deltarule play`` takes: a bundled set, a worked example, a table, a
        model file.
    X : array-like, (n_samples, n_features), optional
        The data, if you pass a network.
    Y : array-like, (n_samples, n_outputs) or (n_samples,), optional

    Returns
    -------
    PlayingPage
        It displays itself in a notebook; ``.address`` opens in a browser, ``.stop()`` ends it.

    Raises
    ------
    InputError
        If there is no such source, or if data are given without a network.
    MissingExtraError
        If the packages of ``deltarule[play]`` are not installed.

    Examples
    --------
    >>> import deltarule as dr
    >>> page = dr.play("T1")  # doctest: +SKIP
    """
    import_extra("uvicorn", "play")
    folder = None
    if isinstance(net, Network):
        if X is None or Y is None:
            raise InputError("play(net, X, Y) needs data: X and Y")
        folder = tempfile.TemporaryDirectory(prefix="deltarule-play-")
        write_arrays(Path(folder.name), net, net.inputs(X), Y)
        source = folder.name
    else:
        source = net or ""
        if source:
            problem_from(source)
    command = [sys.executable, "-m", "deltarule.playground.play", source]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise InputError("the playground's server did not start")
    return PlayingPage(process, address, folder)


def serve(source: str = "", host: str = "127.0.0.1", port: int = 0, browser: bool = True) -> None:
    """Serve the playground until interrupted; print its address, and open a browser there."""
    server = PlaygroundServer(source, host, port)
    print(server.address, flush=True)
    server.run(lambda: webbrowser.open(server.address) if browser else None)


if __name__ == "__main__":
    beside = PlaygroundServer(sys.argv[1] if len(sys.argv) > 1 else "", in_notebook=True)
    print(beside.address, flush=True)
    beside.run()
