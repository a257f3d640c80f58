"""autodata models: the embedded models and their weights."""

from __future__ import annotations

import typer

app = typer.Typer(help="The embedded models and their weights.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the embedded models and whether their weights are here."""
    from autodata_dspy.embedded import catalog, weights

    for model in catalog.MODELS.values():
        path = weights.locate(model.name)
        print(f"{model.name:20} {model.size / 1e6:7.0f} MB  {model.licence:11} {path or 'not here'}")


@app.command()
def pull(name: str = typer.Argument(help="A name that `autodata models list` shows, or 'all'.")) -> None:
    """Fetch a model's weights and check them."""
    from autodata_dspy.cli.display import DownloadBar
    from autodata_dspy.embedded import catalog, weights

    for each in list(catalog.MODELS) if name == "all" else [name]:
        with DownloadBar(each) as bar:
            path = weights.ensure(each, bar)
        print(f"{each}: {path}")


@app.command()
def where(name: str = typer.Argument(help="A name that `autodata models list` shows.")) -> None:
    """Print the path of a model's weights."""
    from autodata_dspy.embedded import weights
    from autodata_dspy.errors import ConfigError

    path = weights.locate(name)
    if path is None:
        raise ConfigError(f"the weights of {name} are not here; fetch them with: autodata models pull {name}")
    print(path)
