"""``deltarule play``: the playground in the browser, or as files for a web server or a stick."""

from __future__ import annotations

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.errors import InputError
from deltarule.playground.opening import problem_from
from deltarule.playground.play import serve
from deltarule.playground.site import build_site, one_file


@click.command(cls=GroupedCommand, short_help="Open the playground: train a network and look into it.")
@click.argument("source", required=False, default="")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=False,
    help="The port to listen on.  [default: a free one]",
)
@click.option(
    "--host", default="127.0.0.1", help="The address to listen on; any other opens the page to the network."
)
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
@click.option("--build", type=FILE, metavar="DIR", help="Write the page to this folder, for any web server.")
@click.option(
    "--one-file",
    "single",
    type=FILE,
    metavar="FILE",
    help="Write the page to this single HTML file, which works without a network.",
)
@click.option(
    "--from",
    "runtime",
    type=FILE,
    metavar="DIR",
    help="A folder with Pyodide and NumPy's wheel.  [default: downloaded once]",
)
def play(
    source: str,
    port: int,
    host: str,
    browser: bool,
    build: str | None,
    single: str | None,
    runtime: str | None,
) -> None:
    """Open the playground: train a network, step through it, and click any number to see its derivation.

    SOURCE is a bundled set (circles, iris …), a worked example (T1 to T5), a table file, or a model that
    deltarule train saved. The page is served to this machine only, until you press Ctrl-C.

    \b
    Examples:
      deltarule play
      deltarule play T1
      deltarule play flowers.csv
      deltarule play --build site
      deltarule play --one-file play.html
    """
    if build or single:
        if source:
            raise InputError(
                "a page that is built as files starts with its own data set: leave out SOURCE or --build"
            )
        if build:
            files = build_site(build, runtime)
            say(f"written: {len(files)} files in {build}")
        if single:
            one_file(single, runtime)
            say(f"written: {single}")
        return
    if source:
        problem_from(source)
    say("The playground is at the address below, for this computer only; Ctrl-C ends it.")
    serve(source, host, port, browser)
