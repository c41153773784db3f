"""click's own words in Danish: what `klik --help` and a wrong use say around klik's own sentences.

click asks gettext, which would need a compiled catalogue and a machine set to Danish; klik speaks Danish anywhere.
"""

from __future__ import annotations

import click

WORDS = {
    "Aborted!": "Afbrudt.",
    "Options": "Valg",
    "Commands": "Kommandoer",
    "Positional arguments": "Argumenter",
    "Usage:": "Brug:",
    "required": "skal angives",
    "default: {default}": "uden valg: {default}",
    "env var: {var}": "miljøvariabel: {var}",
    "deprecated": "udgår",
    "file": "fil",
    "directory": "mappe",
    "path": "sti",
    "unknown error": "ukendt fejl",
    "Show the version and exit.": "Vis versionen.",
    "Show this message and exit.": "Vis denne hjælp.",
    "Error: {message}": "Fejl: {message}",
    "Try '{command} {option}' for help.": "Se hjælpen med “{command} {option}”.",
    "Missing command.": "Der mangler en kommando.",
    "Missing argument": "Der mangler et argument:",
    "Missing option": "Der mangler et valg:",
    "Missing parameter": "Der mangler en værdi:",
    "Missing parameter: {param_name}": "Der mangler en værdi: {param_name}",
    "Missing {param_type}": "Der mangler: {param_type}",
    "No such option {name!r}.": "Valget {name} findes ikke.",
    "No such command {name!r}.": "Kommandoen {name} findes ikke.",
    "Did you mean {possibility}?": "Mente du {possibility}?",
    "(Did you mean one of: {possibilities}?)": "Mente du en af disse: {possibilities}?",
    "Invalid value: {message}": "Forkert værdi: {message}",
    "Invalid value for {param_hint}: {message}": "Forkert værdi for {param_hint}: {message}",
    "Could not open file {filename!r}: {message}": "Filen {filename} kan ikke åbnes: {message}",
    "Choose from:\n\t{choices}": "Vælg mellem:\n\t{choices}",
    "{value!r} is not {choice}.": "“{value}” er ikke {choice}.",
    "{value!r} is not one of {choices}.": "“{value}” er ikke en af {choices}.",
    "{value} is not in the range {range}.": "{value} ligger ikke inden for {range}.",
    "{value!r} is not a valid {number_type}.": "“{value}” er ikke et helt tal.",
    "{name} {filename!r} is a file.": "{name} {filename} er en fil.",
    "{name} {filename!r} is a directory.": "{name} {filename} er en mappe.",
    "{name} {filename!r} is not readable.": "{name} {filename} kan ikke læses.",
    "{name} {filename!r} is not writable.": "Der kan ikke skrives i {name} {filename}.",
    "{name} {filename!r} does not exist.": "{name} {filename} findes ikke.",
    "Got unexpected extra argument ({args})": "Der er et argument for meget: {args}",
    "Got unexpected extra arguments ({args})": "Der er flere argumenter for meget: {args}",
    "Option {name!r} does not take a value.": "Valget {name} tager ingen værdi.",
    "Option {name!r} requires an argument.": "Valget {name} skal have en værdi.",
    "Option {name!r} requires {nargs} arguments.": "Valget {name} skal have {nargs} værdier.",
    "Error: invalid input": "Fejl: svaret kan ikke læses",
}


def word(english: str) -> str:
    """The Danish for one of click's texts; what klik never shows stays as it is."""
    return WORDS.get(english, english)


def counted_word(one: str, many: str, count: int) -> str:
    """The same for a text in two numbers."""
    return word(one if count == 1 else many)


def speak() -> None:
    """Let every part of click ask here; called before the first command is made."""
    for part in (
        click.core,
        click.decorators,
        click.exceptions,
        click.formatting,
        click.parser,
        click.termui,
        click.types,
    ):
        vars(part).update(_=word, ngettext=counted_word)


def name_the_parts(command: click.Command) -> click.Command:
    """Danish for [OPTIONS] and COMMAND in the line that says how a command is used, and for those below it."""
    command.options_metavar = "[VALG]"
    for parameter in command.params:
        if parameter.metavar is None and parameter.type.name in ("text", "integer", "integer range"):
            parameter.metavar = "TEKST" if parameter.type.name == "text" else "TAL"
    if isinstance(command, click.Group):
        command.subcommand_metavar = "KOMMANDO [ARGUMENTER]..."
        for below in command.commands.values():
            name_the_parts(below)
    return command
