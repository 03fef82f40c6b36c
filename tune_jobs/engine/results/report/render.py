"""From a template to a page of HTML, in the colours of the charts."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tune_jobs.engine.results.report import images
from tune_jobs.engine.results.report.chart import DARK, LIGHT, to_svg


def render(template: Path, **values: Any) -> str:
    """Fill in a template, which may extend `base.html.jinja`; texts are escaped.

    Args:
        template: The file.
        values: The names that it uses; one that is missing is an error.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"svg": to_svg, "png": images.data_uri}
    palettes = {"light": LIGHT, "dark": DARK}
    return environment.get_template(template.name).render(palettes=palettes, **values)
