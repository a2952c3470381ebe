"""MIGRATION.md names nothing that is not there, and leaves no name of the prototypes out."""

import ast
import importlib
import inspect
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

import plasticish
from plasticish.bench import SCENARIOS
from plasticish.bench.runner import load_scenarios
from plasticish.cli.main import app
from plasticish.core import Learner

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "MIGRATION.md").read_text(encoding="utf-8")

# What the variables of the calls stand for.
INSTANCES = {
    "brain": (plasticish.PlasticBrain, plasticish.TriarchicBrain),
    "trainer": (plasticish.PlasticTrainer, plasticish.ContinualLearningTrainer),
    "visualizer": (plasticish.PlasticVisualizer,),
    "memory": (plasticish.PlasticMemory,),
    "layer": (plasticish.STDPLayer,),
    "network": (plasticish.MetaPlasticNetwork,),
    "continual_system": (plasticish.ContinualLearningSTDP,),
    "learner": (plasticish.ConversationalLearner,),
}
OLD_NAMES = """
    PretrainedEyes NeuromodulatedBlock EpisodicMemoryBank PlasticBrain TriarchicBrain PhaseConfig
    TrainingHistory PlasticTrainer TriarchicTrainer PlasticVisualizer TriarchicVisualizer
    invert_colors add_noise blur_image denormalize_imagenet create_cifar10_loaders
    train_step update_batch consolidate evaluate get_stats trace_thought plot_results
    train_multilayer.py train_cifar10.py plasticish_brain_example.ipynb requirements.txt
    learn infer visualize visualize_activation edges.csv nodes.csv 01_introduction.ipynb
    ClassicalSTDP TripletSTDP HomeostaticSTDP BCMRule STDPLayer update_weights_stdp
    MetaPlasticityController AdaptiveSTDPRule MetaPlasticLayer MetaPlasticNetwork
    update_meta_plasticity ContinualLearningSTDP compute_parameter_importance TaskBuffer
    ContinualLearningTrainer train_on_task evaluate_all_tasks integrate_stdp_into_model
    integrate_meta_plasticity LiquidSpikingNetwork
    --use-stdp --stdp-type --stdp-learning-rate --use-meta-plasticity --meta-lr
    --continual-learning --consolidation-strength --use-replay --replay-buffer-size
    PlasticLearnerConfig start_conversation process_input_and_respond get_learning_stats
    plastic_learner.py plastic_snn.py biologically_inspired_tokenizer.py llm_teacher.py
    plastic_memory.json plastic_memory_vocab.json network_state_latest.npz plastic_learning.log
    safe_gpu1_demo.py run_tests.py test_phase1_dopamine.py
"""


def table_rows() -> Iterator[list[str]]:
    for line in TEXT.splitlines():
        if line.startswith("| ") and not set(line) <= set("|- "):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


OLD = " ".join(row[0] for row in table_rows())
NEW = [span for row in table_rows() for cell in row[1:] for span in code(cell)]
PROSE = [span for line in TEXT.splitlines() if not line.startswith("|") for span in code(line)]


def parsed(span: str) -> ast.Module | None:
    try:
        return ast.parse(span)
    except SyntaxError:
        return None  # a path, a command, a flag


TREES = [(span, tree) for span in NEW + PROSE if (tree := parsed(span)) is not None]
IMPORTS = [
    (span, node)
    for span, tree in TREES
    for node in ast.walk(tree)
    if isinstance(node, ast.ImportFrom)
]
CALLS = [
    (span, node) for span, tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call)
]
COMMANDS = sorted({span for span in NEW + PROSE if span.startswith("plasticish ")})


@pytest.mark.parametrize(("span", "node"), IMPORTS, ids=[span for span, _ in IMPORTS])
def test_every_new_import_works(span, node, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))  # the examples are no part of the package
    module = importlib.import_module(node.module)
    for alias in node.names:
        assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


def test_every_dotted_path_is_there():
    paths = {span for span in NEW + PROSE if re.fullmatch(r"plasticish(\.\w+)+", span)}
    assert paths
    for path in paths:
        try:
            importlib.import_module(path)
        except ModuleNotFoundError:
            home, _, name = path.rpartition(".")
            assert hasattr(importlib.import_module(home), name), path


def functions(node: ast.expr) -> list[object]:
    """What a call may call: public names, their methods, or those of a known variable."""
    if isinstance(node, ast.Name):
        if node.id == "create_cifar10_loaders":
            return [importlib.import_module("examples.cifar10_utils").create_cifar10_loaders]
        homes = (plasticish, Learner)  # a method of every learner is named without one
        return [getattr(home, node.id) for home in homes if hasattr(home, node.id)]
    assert isinstance(node, ast.Attribute)
    assert isinstance(node.value, ast.Name)
    owner = node.value.id
    owners = INSTANCES.get(owner) or (getattr(plasticish, owner),)
    return [getattr(kind, node.attr) for kind in owners if hasattr(kind, node.attr)]


def fits(function: Callable[..., object], call: ast.Call) -> bool:
    takes_self = inspect.isfunction(function) and "." in function.__qualname__
    positional: list[object] = [None] * (len(call.args) + takes_self)
    named = {keyword.arg: None for keyword in call.keywords}
    try:
        inspect.signature(function).bind(*positional, **named)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(("span", "call"), CALLS, ids=[ast.unparse(call)[:80] for _, call in CALLS])
def test_every_new_call_fits_its_signature(span, call, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    targets = functions(call.func)
    assert targets, f"nothing is called {ast.unparse(call.func)}"
    shapes = [str(inspect.signature(target)) for target in targets]
    assert any(fits(target, call) for target in targets), f"{span} does not fit {shapes}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_new_command_and_flag_is_there(command):
    node = typer.main.get_command(app)
    words = shlex.split(command)[1:]
    while words and getattr(node, "commands", None):
        node = node.commands[words.pop(0)]
    flags = {flag for one in node.params for flag in (*one.opts, *one.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= flags
    if command.startswith("plasticish bench ") and "ID" not in words:
        load_scenarios()
        assert words[0] in SCENARIOS


def test_no_name_of_a_prototype_is_left_out():
    missing = [
        name for name in OLD_NAMES.split() if not re.search(rf"(?<!\w){re.escape(name)}\b", OLD)
    ]
    assert not missing


def test_the_tables_have_calls_imports_and_commands():
    assert len(CALLS) > 60
    assert len(IMPORTS) > 15
    assert len(COMMANDS) > 10


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)\s]+)\)", TEXT)
    headings = re.findall(r"^#+ (.+)$", TEXT, flags=re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings}
    for target in targets:
        assert target in anchors or (ROOT / target).is_file(), target


def test_files_that_it_names_are_there():
    named = {span for span in NEW if re.match(r"(examples|notebooks|benchmarks)/", span)}
    assert named
    assert all((ROOT / path).exists() for path in named)
