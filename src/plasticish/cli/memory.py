"""``plasticish memory``: words and other sequences, learned as they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .memory_comparing import compare
from .memory_drawing import draw, export, watch
from .memory_options import HERE, FileArgument, MemoryOption
from .options import JsonOption, QuietOption

__all__ = ["memory"]

memory = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@memory.callback()
def about() -> None:
    """Learn words or other sequences as they are read, and invent new ones.

    Begin with the bundled first names, or with any text file, one word or
    sentence a line:

        plasticish memory learn
        plasticish memory learn names.txt --save memory
        plasticish memory complete em
        plasticish memory sample -n 5
        plasticish memory concepts
        plasticish memory draw --out tree.svg
        plasticish memory watch --out growth.gif
        plasticish memory compare

    The memory lives in the folder memory/, unless you name another.
    """


@memory.command()
def learn(
    file: FileArgument = None,
    save: Annotated[Path, typer.Option(help="The folder of the memory.")] = HERE,
    experts: Annotated[
        str,
        typer.Option(help="rich (words, names), text (sentences) or plain (anything, cheapest)."),
    ] = "rich",
    sleep: Annotated[
        bool, typer.Option("--sleep/--no-sleep", help="Replay what was learned at the end.")
    ] = True,
    max_synapses: Annotated[
        int | None,
        typer.Option(help="Bound on the counts; the weakest fade.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order of replay.")] = 0,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn a text file, one sequence a line; blank lines are passed over.

    Name the file, and the folder that the memory lives in:

        plasticish memory learn names.txt --save memory

    Without a file it learns 5,163 first names of the United States census,
    which come with the package:

        plasticish memory learn

    If the folder holds a memory already, it learns on, and --experts,
    --max-synapses and --seed stay what they were. The memory is saved as it
    goes: after a crash or Ctrl-C the same command goes on where it was, and
    ends with the same memory as if nothing had happened.
    """
    from plasticish.sequence import PlasticMemory

    from .memory_learning import learn_file
    from .output import Output

    output = Output(json, quiet)
    with output.working():
        fresh = PlasticMemory(experts, max_synapses, seed)
        found = learn_file(file, save, fresh, sleep, output)
    output.emit(found)
    output.say(
        f"{found['sequences']:,.0f} sequences, {found['nodes']:,} nodes at levels 0 to "
        f"{found['r_levels']}, {found['concepts']:,} concepts; "
        f"the last were met with {found['nats']:.3f} nats a symbol"
    )


@memory.command()
def complete(
    prefix: Annotated[str, typer.Argument(help="How it begins.")] = "",
    folder: MemoryOption = HERE,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what comes next, how it most probably goes on, and why.

    Give the beginning; without one, the start of a sequence is asked about:

        plasticish memory complete em

    You get the most probable completion, the chances of the next symbol, the
    experts that said so, and stored sequences that go on so.
    """
    from .memory_asking import completion, open_memory, print_completion
    from .output import Output

    output = Output(json, quiet)
    found = completion(open_memory(folder), prefix)
    output.emit(found)
    print_completion(found, output)


@memory.command()
def sample(
    count: Annotated[int, typer.Option("--count", "-n", help="How many.")] = 10,
    prefix: Annotated[str, typer.Option(help="How each begins.")] = "",
    temperature: Annotated[float, typer.Option(help="Above 1 bolder, below 1 tamer.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the random draws.")] = 0,
    folder: MemoryOption = HERE,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Invent new sequences.

    Five that begin with the same two letters:

        plasticish memory sample -n 5 --prefix el

    The same seed invents the same ones.
    """
    from plasticish.core import make_generator

    from .memory_asking import open_memory
    from .output import Output

    output = Output(json, quiet)
    made = open_memory(folder).generate(count, prefix, temperature, make_generator(seed))
    output.emit({"samples": made})
    output.say("\n".join(map(str, made)))


@memory.command()
def concepts(
    level: Annotated[
        int | None, typer.Option(help="Only of this level.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 20,
    folder: MemoryOption = HERE,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List the patterns that recur anywhere, and what they are built of.

    Those that are built in three steps, for instance:

        plasticish memory concepts --level 3

    A count says in how many places of the stored sequences a pattern stands.
    """
    from .memory_asking import concept_rows, open_memory, print_concepts
    from .output import Output

    output = Output(json, quiet)
    found = concept_rows(open_memory(folder), level, limit)
    output.emit({"concepts": found})
    print_concepts(found, output)


for _command in (draw, export, watch, compare):
    memory.command()(_command)
