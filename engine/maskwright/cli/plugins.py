"""`maskwright plugins`: the plug-ins in GIMP and Krita, apart from the engine."""

import json
import os
from pathlib import Path

import click

from maskwright.cli.options import debug_option
from maskwright.cli.setup import telling
from maskwright.cli.speech import say


@click.group(
    epilog="""\b
Examples:
  maskwright plugins list
  maskwright plugins install        into every GIMP and Krita of this user
  maskwright plugins enable         have Krita start the plug-in that is there
  maskwright plugins uninstall
"""
)
def plugins() -> None:
    """Place, find and remove the plug-ins of GIMP and Krita."""


@plugins.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@debug_option
def list_(as_json: bool) -> None:
    """Say which GIMP and Krita there are, and how the plug-in stands in each."""
    from maskwright.doctor.editors import checks
    from maskwright.hosts import find_hosts
    from maskwright.setup.plugins import sources_here

    found = list(checks(find_hosts(Path.home(), os.environ), sources_here()))
    if as_json:
        say(json.dumps([check.as_json() for check in found], indent=1))
        return
    for check in found:
        say(check.message)
        if check.fix:
            say(f"  {check.fix}")


@plugins.command()
@debug_option
def install() -> None:
    """Put the plug-ins into every GIMP and Krita of this user, and switch Krita's on."""
    from maskwright.setup.installation import install_plugins
    from maskwright.setup.layout import current_layout
    from maskwright.setup.plugins import sources_here
    from maskwright.setup.user import own_files_only

    with telling():
        own_files_only(os.environ)
        install_plugins(current_layout(os.environ), os.environ, sources_here())


@plugins.command()
@debug_option
def uninstall() -> None:
    """Remove the plug-ins of this user as they were placed; the engine stays."""
    from maskwright.setup.layout import current_layout
    from maskwright.setup.plugins import sources_here
    from maskwright.setup.removal import uninstall_plugins

    with telling():
        uninstall_plugins(current_layout(os.environ), os.environ, sources_here())


@plugins.command()
@debug_option
def enable() -> None:
    """Have Krita start the plug-in that is there, for this user."""
    from maskwright.hosts import find_hosts
    from maskwright.setup.plugins import enable as switch_on
    from maskwright.setup.plugins import sources_here

    with telling():
        found = list(switch_on(find_hosts(Path.home(), os.environ), sources_here()))
        for sentence in found or ["No Krita was found: install it, start it once, try again."]:
            say(sentence)


@plugins.command()
@debug_option
def disable() -> None:
    """Have Krita no longer start the plug-in, for this user; its files stay."""
    from maskwright.hosts import find_hosts
    from maskwright.setup.plugins import disable as switch_off

    with telling():
        found = list(switch_off(find_hosts(Path.home(), os.environ)))
        for sentence in found or ["No Krita starts the plug-in."]:
            say(sentence)
