"""The house rules that a reader cannot see in one file: which way imports point, what the front end does without."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nnctl"
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}

LAYERS = (
    ("nnctl.errors", "nnctl.randomness"),
    ("nnctl.document", "nnctl.posix"),
    ("nnctl.component",),
    ("nnctl.kinds",),
    ("nnctl.spec",),
    ("nnctl.graph",),
    ("nnctl.reference", "nnctl.modules"),
    ("nnctl.checkpoint",),
    ("nnctl.network",),
    ("nnctl.data",),
    ("nnctl.device", "nnctl.environment", "nnctl.memory", "nnctl.objective", "nnctl.optim", "nnctl.svg"),
    ("nnctl.step", "nnctl.admm_step"),
    ("nnctl.evaluation", "nnctl.diagnosis"),
    ("nnctl.training", "nnctl.exporting"),
    ("nnctl.cli",),
    ("nnctl.__main__",),
)
"""A module imports what stands above its own line, and its own package; those on one line do not know each other."""

FRONT = (*(package for line in LAYERS[:6] for package in line), "nnctl.reference")
"""Up to the graph, and what explains it: free of torch, so that `check` is quick."""
HEAVY = frozenset({"torch", "torchvision", "sklearn", "numpy"})
FORBIDDEN_NAMES = frozenset({"train", "evaluate", "inspect", "gradcheck", "landscape"})
USED_WHEN_ASKED = {"nnctl.kinds": ("nnctl.data", "nnctl.modules", "nnctl.optim")}
"""What a kind's `build`, `read` or `apply` may import inside the function: its own module, optimiser or reader."""


def home(module: str) -> tuple[int, str]:
    """Return the line of a module in LAYERS and the package of that line it belongs to."""
    for line, packages in enumerate(LAYERS):
        for package in packages:
            if module == package or module.startswith(package + "."):
                return line, package
    raise AssertionError(f"{module} has no place in the order of imports: give it one in LAYERS")


def imports(tree: ast.AST) -> set[str]:
    """Return the modules that are imported anywhere below a node of the syntax tree."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found


def imports_at_once(tree: ast.Module) -> set[str]:
    """Return what importing the module imports: neither in functions nor under TYPE_CHECKING."""
    found: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        if isinstance(statement, ast.ClassDef):
            body = [part for part in statement.body if not isinstance(part, ast.FunctionDef)]
            found |= imports(ast.Module(body=body, type_ignores=[]))
        else:
            found |= imports(statement)
    return found


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def inner(module: str) -> bool:
    return module.startswith("nnctl.")


@pytest.mark.parametrize("module", [name for name in MODULES if inner(name)])
def test_imports_point_one_way(module: str) -> None:
    line, package = home(module)
    at_once, anywhere = imports_at_once(tree_of(module)), imports(tree_of(module))
    for other in filter(inner, anywhere):
        other_line, other_package = home(other)
        if other not in at_once and other_package in USED_WHEN_ASKED.get(package, ()):
            continue
        assert other_line < line or other_package == package, f"{module} imports {other}"


def is_front(module: str) -> bool:
    return f"{module}.".startswith(tuple(f"{package}." for package in FRONT))


@pytest.mark.parametrize("module", [name for name in MODULES if is_front(name)])
def test_the_front_end_is_free_of_torch(module: str) -> None:
    heavy = {name for name in imports_at_once(tree_of(module)) if name.partition(".")[0] in HEAVY}
    assert not heavy


@pytest.mark.parametrize("module", list(MODULES))
def test_no_module_takes_the_name_of_an_api_function(module: str) -> None:
    assert module.rpartition(".")[2] not in FORBIDDEN_NAMES


def test_one_module_imports_rich() -> None:
    users = {name for name in MODULES for used in imports(tree_of(name)) if used.partition(".")[0] == "rich"}
    assert users == {"nnctl.cli.render.live"}


def test_no_file_reads_or_writes_pickle_or_runs_text() -> None:
    for name in MODULES:
        tree = tree_of(name)
        assert not {"pickle", "shelve", "marshal", "dill"} & {used.partition(".")[0] for used in imports(tree)}, name
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not {"eval", "exec", "torch.save"} & called, name
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert any(key.arg == "weights_only" and ast.unparse(key.value) == "True" for key in node.keywords)


CHECK = """
import sys
from nnctl.cli.app import main
try:
    main(["check", *sys.argv[1:]])
except SystemExit as exit:
    code = exit.code
heavy = {"torch", "torchvision", "sklearn", "numpy", "rich"} & set(sys.modules)
print(code, sorted(heavy), file=sys.stderr)
"""


def test_checking_every_spec_imports_no_torch() -> None:
    specs = sorted(str(file) for file in (ROOT / "specs").glob("*.yaml"))
    assert specs
    ran = subprocess.run(
        [sys.executable, "-c", CHECK, *specs], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert ran.stderr.splitlines()[-1] == "0 []", ran.stderr
