"""autodata serve-embedded: embedded models for other programs on this machine."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer


def command(
    model: Annotated[list[str], typer.Argument(help="A name that `autodata models list` shows; several may be given.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="An address of this machine's loopback.")] = "127.0.0.1",
) -> None:
    """Serve embedded models as an OpenAI-compatible endpoint, to programs on this machine alone; ends on Ctrl-C."""
    from autodata_dspy.cli.display import DownloadBar
    from autodata_dspy.embedded import weights
    from autodata_dspy.embedded.serving import ModelEndpoint

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which scripts turn off for what they start with &
    try:
        with ModelEndpoint(model, port, host) as endpoint:
            for name in endpoint.names:
                with DownloadBar(name) as bar:
                    weights.ensure(name, bar)
            endpoint.load()
            print(f"{', '.join(endpoint.names)} at {endpoint.url} (any API key); Ctrl-C ends it")
            print(f"  --lm all=vllm:{endpoint.names[0]} --lm all.api_base={endpoint.url}", flush=True)
            endpoint.serve_forever()
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(0)  # an ordinary exit waits for answers that are being computed; llama.cpp cannot be told to stop
